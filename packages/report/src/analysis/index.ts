export * from './analyse.js';
export * from './compare.js';
export * from './moments.js';
export type { AnalysisHost } from './open.js';
export * from './published.js';
export * from './study.js';
