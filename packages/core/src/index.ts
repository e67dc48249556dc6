export * from './errors.js';
export * from './hash.js';
export * from './layers.js';
export * from './options.js';
export * from './provision.js';
export * from './rng.js';
export type * from './types.js';
