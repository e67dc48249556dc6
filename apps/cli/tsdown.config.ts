import { defineConfig } from 'tsdown';
import { bundled } from '../../tsdown.bundled.js';

export default defineConfig({
  ...bundled('commander'),
  entry: ['src/cli.ts', 'src/main.ts', 'src/watchdog.ts'],
  format: 'esm',
  platform: 'node',
  target: 'es2022',
  fixedExtension: false,
  dts: false,
});
