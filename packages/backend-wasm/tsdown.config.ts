import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defineConfig, type UserConfig } from 'tsdown';
import { bundled } from '../../tsdown.bundled.js';

type Plugin = Extract<UserConfig['plugins'], { readonly name: string }>;

const BINARIES = ['', '-simd', '-threaded-simd'].map((kind) => `tfjs-backend-wasm${kind}.wasm`);

/** Bundles tfjs's backend, on the one copy of tfjs-core, as an ES module for Node and browsers, with its binaries beside it. */
const tfjsWasm: Plugin = {
  name: 'grok:tfjs-wasm',
  resolveId: {
    filter: { id: /^@tensorflow\/tfjs-core$/ },
    handler: () => ({ id: '@grok/tfjs', external: true }),
  },
  transform: {
    filter: { id: /wasm-out[\\/]tfjs-backend-wasm[\w-]*\.js$/ },
    handler(code, id) {
      const anywhere = code.replaceAll(/\brequire\(/g, 'process.getBuiltinModule(');
      // Its threads start from a function's source text, so it may contain no outside name and no
      // `import.meta`.
      return id.includes('threaded')
        ? replaceOnce(anywhere, /function\(\w+\) \{/, '$&\n  var _scriptDir = undefined;')
        : replaceOnce(anywhere, '__dirname+"/"', 'new URL("./",import.meta.url).href');
    },
  },
  generateBundle() {
    const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    for (const fileName of BINARIES) {
      const source = readFileSync(join(dirname(entry), fileName));
      this.emitFile({ type: 'asset', fileName, source });
    }
  },
};

function replaceOnce(code: string, from: string | RegExp, to: string): { code: string; map: null } {
  const changed = code.replace(from, to);
  if (changed === code) throw new Error(`tfjs-backend-wasm no longer has ${from}`);
  return { code: changed, map: null };
}

export default defineConfig({
  ...bundled('@tensorflow/tfjs-backend-wasm'),
  plugins: [tfjsWasm],
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: { oxc: true },
});
