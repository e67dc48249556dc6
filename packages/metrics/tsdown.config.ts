import { defineConfig } from 'tsdown';
import { bundled } from '../../tsdown.bundled.js';

export default defineConfig({
  ...bundled('ml-matrix', 'umap-js', 'ml-levenberg-marquardt', 'is-any-array'),
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: { oxc: true },
  sourcemap: true,
});
