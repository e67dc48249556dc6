export * from './palette.js';
export * from './paper.js';
export * from './render.js';
export * from './report/index.js';
export * from './reproduction.js';
export * from './study-table.js';
export * from './table.js';
export * from './verdicts.js';
