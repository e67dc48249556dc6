/** Many runs as one plan: teachers, students and controls, and what came of them. */
export * from './check-plan.js';
export * from './merge.js';
export * from './plan.js';
export * from './preflight.js';
export * from './record.js';
export * from './reproduce.js';
export * from './stats/index.js';
