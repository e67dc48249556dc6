/** Probes and analyses of training runs; the functions behind them work on plain data. */
import type { Plugin } from '@grok/core';
import { crossings, score, weightNorms } from './probes.js';

export * from './attention-entropy.js';
export * from './cca.js';
export * from './cka.js';
export * from './cka-test.js';
export * from './curves.js';
export * from './fourier.js';
export * from './frequencies.js';
export * from './geometry.js';
export * from './gradients.js';
export * from './modular.js';
export * from './neurons.js';
export * from './norms.js';
export { crossings, score, weightNorms } from './probes.js';
export * from './progress.js';
export * from './rank.js';
export { atPosition, matrixOf, type Rows } from './rows.js';
export { gini } from './sample.js';
export { score as scoreOf } from './score.js';
export * from './weights.js';
export type { RowsOptions, WhenOptions } from './when.js';

const plugin: Plugin = {
  name: '@grok/metrics',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  provides: [weightNorms, crossings, score],
};
export default plugin;
