/** Probes and analyses of training runs; the functions behind them work on plain data. */
import type { Plugin } from '@grok/core';
import { crossings, score, weightNorms } from './probes.js';

export * from './curves.js';
export * from './norms.js';
export { crossings, score, weightNorms } from './probes.js';
export { score as scoreOf } from './score.js';
export type { RowsOptions, WhenOptions } from './when.js';

const plugin: Plugin = {
  name: '@grok/metrics',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  provides: [weightNorms, crossings, score],
};
export default plugin;
