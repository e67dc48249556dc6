/** Measures of finished runs and studies, and the verdicts on claims that follow from them. */
export * from './analyze.js';
export * from './atlas/atlas.js';
export type { AtlasMeasure, SavedState, Subject } from './atlas/measure.js';
export { LEVELS, type MeasuredTables, type TableCell, type TableRow } from './atlas/tables.js';
export * from './claims/claims.js';
export * from './claims/evidence.js';
export * from './claims/measure.js';
export * from './claims/verdict.js';
export * from './compare.js';
export * from './files.js';
export * from './moments.js';
export type { AnalysisHost } from './open.js';
export * from './published.js';
export * from './study.js';
