/** The page as a static folder: one page, one worker, the runtimes' binaries loaded when asked for. */
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { readShipped } from './src/work/shipped.js';

// Threads share memory, which a page may do only when it is isolated from other origins.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** tfjs starts its threads from a function's text, of which the minifier drops a name that the text needs. */
const tfjsWasmThreads: Plugin = {
  name: 'tfjs-wasm-threads',
  enforce: 'pre',
  transform: {
    filter: { id: /tfjs-backend-wasm-threaded-simd\.js$/ },
    handler: (code) => ({
      code: code.replace(
        /function\(WasmBackendModuleThreadedSimd\) \{/,
        '$&\n  var _scriptDir = undefined;',
      ),
      map: null,
    }),
  },
};

/** Tells the service worker which files the site consists of; WebGPU's 27 MB come when somebody asks for them. */
const offlineList: Plugin = {
  name: 'offline-list',
  apply: 'build',
  generateBundle(_, bundle) {
    const files = Object.keys(bundle).filter(
      (name) => /\.(html|js|mjs|css|wasm)$/.test(name) && !/webgpu|asyncify|jsep/.test(name),
    );
    const teacher = new URL('public/teacher/files.json', import.meta.url);
    const shipped = readShipped(readFileSync(teacher));
    files.push(...['files.json', ...shipped.files].map((name) => `teacher/${name}`));
    this.emitFile({
      type: 'asset',
      fileName: 'offline.json',
      source: JSON.stringify([...new Set(['./', ...files])].sort()),
    });
  },
};

/** While it is developed, styles come through scripts. */
const developersStyles: Plugin = {
  name: 'developers-styles',
  apply: 'serve',
  transformIndexHtml: (html) => html.replace("style-src 'self'", "$& 'unsafe-inline'"),
};

export default defineConfig({
  base: './',
  resolve: { conditions: ['@grok/source', 'module', 'browser', 'development|production'] },
  server: { headers },
  preview: { headers },
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 2000 },
  worker: { format: 'es', plugins: () => [tfjsWasmThreads] },
  // Its binaries lie beside its code, where the optimizer would not take them.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  plugins: [tfjsWasmThreads, offlineList, developersStyles],
});
