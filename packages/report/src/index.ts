export * from './curves.js';
export * from './markdown.js';
export * from './paper.js';
export * from './table.js';
