export * from './curves.js';
export * from './markdown.js';
export * from './palette.js';
export * from './paper.js';
export * from './report/index.js';
export * from './study-table.js';
export * from './table.js';
export * from './verdicts.js';
