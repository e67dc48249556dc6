/** Conformance suites, matchers and float64 references for plugin authors, for use in vitest. */
export * from './apply-term.js';
export * from './arrays.js';
export * from './backend-cases.js';
export * from './backend-suite.js';
export * from './closeness.js';
export * from './exact-cases.js';
export * from './executor-suite.js';
export * from './matchers.js';
export * from './model-suite.js';
export * from './models.js';
export * from './optimizer-suite.js';
export type { OptionsGiven } from './options-suite.js';
export * from './probe-suite.js';
export * from './reference.js';
export * from './store-suite.js';
export * from './strategy-suite.js';
export * from './task-suite.js';
export * from './tracker-suite.js';
