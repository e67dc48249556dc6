export * from './analysis/index.js';
export * from './curves.js';
export * from './markdown.js';
export * from './paper.js';
export * from './runs.js';
export * from './study-table.js';
export * from './table.js';
export * from './verify/index.js';
