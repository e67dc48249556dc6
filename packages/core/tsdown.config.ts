import { defineConfig } from 'tsdown';
import { bundled } from '../../tsdown.bundled.js';

export default defineConfig({
  ...bundled('zod', 'semver', 'tsyringe', 'reflect-metadata', '@noble/hashes'),
  entry: ['src/index.ts', 'src/internal.ts', 'src/node/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: { oxc: true },
  sourcemap: true,
});
