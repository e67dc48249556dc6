import { defineConfig } from 'tsdown';
import { bundled } from '../../tsdown.bundled.js';

export default defineConfig([
  {
    ...bundled('vega', 'vega-lite'),
    entry: ['src/index.ts'],
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    fixedExtension: false,
    dts: { oxc: true },
  },
  {
    // A page that opens from a disk loads nothing: its script is one file with Vega in it.
    ...bundled('vega', 'vega-interpreter'),
    entry: ['src/atlas/page.ts'],
    outDir: 'dist/atlas-page',
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
  },
]);
