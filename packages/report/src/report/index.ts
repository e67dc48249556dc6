export type { SeedAnalysis } from './data.js';
export * from './figures.js';
export * from './grid.js';
export * from './report.js';
export * from './runs.js';
export * from './states.js';
export { formatLabel, listLabels } from './style.js';
export * from './survival.js';
export * from './tables.js';
