export * from './claims.js';
export * from './evidence.js';
export * from './measure.js';
export * from './text.js';
export * from './verdict.js';
