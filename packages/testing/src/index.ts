/** Conformance suites, matchers and float64 references for authors of plugins; runs inside vitest. */
export * from './arrays.js';
export * from './backend-cases.js';
export * from './backend-suite.js';
export * from './closeness.js';
export * from './exact-cases.js';
export * from './matchers.js';
export * from './models.js';
export * from './reference.js';
export * from './strategy-suite.js';
