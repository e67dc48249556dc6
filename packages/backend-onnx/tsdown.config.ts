import { defineConfig } from 'tsdown';
import { bundled } from '../../tsdown.bundled.js';

export default defineConfig({
  ...bundled('@bufbuild/protobuf'),
  plugins: [], // the package ships no license file: THIRD_PARTY_LICENSES is written by hand
  entry: ['src/index.ts', 'src/runtime.node.ts', 'src/runtime.browser.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: { oxc: true },
  sourcemap: true,
});
