import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/python.ts'],
  format: 'esm',
  platform: 'neutral',
  deps: { neverBundle: [/^node:/] }, // the Python entry's; the index has none
  target: 'es2022',
  fixedExtension: false,
  dts: { oxc: true },
  sourcemap: true,
});
