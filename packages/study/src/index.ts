/** Many runs as one plan: teachers, students and controls, and what came of them. */
export * from './calibrate.js';
export * from './check-plan.js';
export * from './compare.js';
export * from './estimate.js';
export * from './inline.js';
export * from './inspect.js';
export * from './journal.js';
export * from './merge.js';
export * from './plan.js';
export * from './preflight.js';
export * from './record.js';
export * from './reproduce.js';
export * from './select.js';
export * from './stats/index.js';
export * from './study.js';
export * from './tell.js';
