/**
 * The `wasm` backend: TensorFlow.js on WebAssembly (XNNPACK), eager, with the kernels that training
 * needs but it lacks. Runs in Node (one thread) and in browsers (with threads if the page is
 * cross-origin isolated).
 */
import {
  type BackendAdapter,
  type Component,
  defineBackend,
  definePlugin,
  integer,
  type Plugin,
  schema,
  text,
  tfjsAdapter,
} from '@grok/core';
import { startTfjsBackend } from '@grok/core/internal';
import { registerTrainingKernels } from './kernels.js';
import { withoutNewListeners } from './listeners.js';

/** URLs of the three binaries by file name, as bundlers provide them. */
export interface WasmFiles {
  readonly 'tfjs-backend-wasm.wasm'?: string;
  readonly 'tfjs-backend-wasm-simd.wasm'?: string;
  readonly 'tfjs-backend-wasm-threaded-simd.wasm'?: string;
}
/** Options of `wasm`. */
export interface WasmOptions {
  /** Number of threads; default: all available (one in Node). */
  readonly threads?: number;
  /** Folder of the binaries (ends in `/`) or their URLs; required in browsers. */
  readonly wasmPaths?: string | WasmFiles;
}

/** TensorFlow.js on WebAssembly; the first call in a process fixes threads and paths. */
export const wasm: Component<'backend', WasmOptions> = defineBackend({
  name: 'wasm',
  summary: 'TensorFlow.js on WebAssembly, eager; runs everywhere, one thread in Node.',
  options: schema({
    threads: integer().positive().optional().describe('threads (default: all available)'),
    wasmPaths: text()
      .or(
        schema({
          'tfjs-backend-wasm.wasm': text().optional(),
          'tfjs-backend-wasm-simd.wasm': text().optional(),
          'tfjs-backend-wasm-threaded-simd.wasm': text().optional(),
        }),
      )
      .optional()
      .describe('folder of the .wasm files, or their URLs by file name; required in browsers'),
  }),
  create: ({ threads, wasmPaths }, { tf }) =>
    start(threads, wasmPaths as WasmOptions['wasmPaths'], tf),
});

async function start(
  threads: number | undefined,
  wasmPaths: WasmOptions['wasmPaths'],
  tf: typeof import('@grok/tfjs'),
): Promise<BackendAdapter> {
  const tfjsWasm = await import('@tensorflow/tfjs-backend-wasm');
  if (!('wasm' in tf.engine().registry)) {
    // Both must be set before the module starts, and are fixed afterwards.
    if (wasmPaths !== undefined) tfjsWasm.setWasmPaths(wasmPaths as string);
    if (threads !== undefined) tfjsWasm.setThreadsCount(threads);
  }
  registerTrainingKernels(tf);
  await withoutNewListeners(() => startTfjsBackend('wasm'));
  const used = tfjsWasm.getThreadsCount();
  const simd = (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) ? 'simd' : 'no simd';
  const note =
    threads === undefined || threads === used ? '' : ` (${threads} asked: ${whyFewer(tf)})`;
  return tfjsAdapter({
    tfjs: 'wasm',
    device: `tfjs-backend-wasm ${tfjsWasm.version_wasm}, ${simd}, ${used} thread${used === 1 ? '' : 's'}${note}`,
    threads: used,
    bitExact: true,
  });
}

function whyFewer(tf: typeof import('@grok/tfjs')): string {
  return tf.env().get('IS_NODE')
    ? 'wasm has one thread in Node'
    : 'threads need a cross-origin isolated page and spare cores, and are fixed at the first start';
}

/** The backend `wasm`, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/backend-wasm',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [wasm],
});
export default plugin;
