export * from './atlas.js';
export type { AtlasFigure } from './figure.js';
export { atlasFigures } from './figures.js';
