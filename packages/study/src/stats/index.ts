export * from './bootstrap.js';
export * from './distributions.js';
export * from './holm.js';
export * from './paired.js';
export * from './paired-censored.js';
export * from './power.js';
export * from './summary.js';
export * from './survival.js';
