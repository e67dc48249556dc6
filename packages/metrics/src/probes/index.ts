/** The probes: the package's functions, inside a run. */
export * from './attention.js';
export * from './gradients.js';
export {
  attentionEntropies,
  effectiveRanks,
  neurons,
  type SiteOptions,
  weightStatistics,
} from './inside.js';
export * from './modular.js';
export * from './neuron-images.js';
export * from './representations.js';
export * from './run.js';
export type { RowsOptions, WhenOptions } from './when.js';
