import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/runtime.node.ts', 'src/runtime.browser.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: { oxc: true },
  sourcemap: true,
  // The runtime is chosen by the `imports` of package.json where the package is used.
  deps: { neverBundle: ['#runtime', /^node:/] },
});
