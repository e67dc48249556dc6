/** The probes: the package's functions, inside a run. */
export * from './gradients.js';
export * from './inside.js';
export * from './modular.js';
export * from './run.js';
export type { RowsOptions, WhenOptions } from './when.js';
