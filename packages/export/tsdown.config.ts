import { defineConfig } from 'tsdown';
import { bundled } from '../../tsdown.bundled.js';

export default defineConfig({
  ...bundled('hyparquet-writer', 'hyparquet'),
  // The writer in memory: its entry for Node also writes files.
  inputOptions: { resolve: { conditionNames: ['browser', 'module', 'import', 'default'] } },
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: { oxc: true },
  sourcemap: true,
});
