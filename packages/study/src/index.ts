export * from './merge.js';
export * from './plan.js';
