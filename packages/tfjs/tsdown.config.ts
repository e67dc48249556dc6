import { defineConfig } from 'tsdown';

const common = { format: 'esm', platform: 'neutral', target: 'es2022' } as const;

export default defineConfig([
  // Node cannot import tfjs-core's ESM files (extensionless imports), so the gradients are bundled
  // and tfjs-core stays external.
  {
    ...common,
    entry: ['src/index.ts'],
    minify: true,
    dts: { oxc: true },
    deps: {
      alwaysBundle: [/^@tensorflow\/tfjs-core\/dist\//],
      onlyBundle: ['@tensorflow/tfjs-core'],
    },
  },
  // Bundlers resolve the deep import themselves and so keep one copy.
  { ...common, entry: ['src/browser.ts'], dts: false, clean: false },
]);
