/**
 * Implements `session.ts` with onnxruntime-web: WebAssembly, or WebGPU on request. It computes in
 * the calling thread, so a page should run it in a worker.
 */
import { InputError } from '@grok/core';
import { yieldToEventLoop } from '@grok/core/internal';
import type * as Ort from 'onnxruntime-common';
import type { Runtime, RuntimeOptions, RuntimeTensor, Session } from './session.js';
import type { Telemetry } from './telemetry.js';

type Data = Float32Array | Int32Array | Uint8Array;
type Tensors = Readonly<Record<string, RuntimeTensor & Ort.Tensor>>;

/** The runtime has one thread pool per page, created with its first session. */
let started: number | undefined;

/**
 * Loads onnxruntime-web, an optional peer dependency, on first use: its binary is 14 MB.
 * @throws InputError that says how to install it, or that the browser has no WebGPU adapter.
 */
export async function loadRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { provider = 'wasm', wasmPaths } = options;
  if (provider === 'webgpu') await needsAdapter();
  const ort = await load(provider);
  // Threads share memory, which requires a cross-origin isolated page.
  const cores = globalThis.crossOriginIsolated ? (navigator.hardwareConcurrency ?? 1) : 1;
  started ??= Math.min(options.threads ?? cores, cores);
  ort.env.wasm.numThreads = started;
  if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
  ort.env.logLevel = 'error';
  return {
    name: `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`,
    provider,
    // Every run copies its inputs into the runtime's own memory.
    residentInputs: false,
    cores,
    threads: started,
    tensor: (dtype, data, shape) => new ort.Tensor(dtype, data, [...shape]),
    open: async (model) =>
      wrapSession(
        await inTurn(() =>
          ort.InferenceSession.create(model, {
            executionProviders: [provider],
            executionMode: 'sequential',
            graphOptimizationLevel: 'all',
            logSeverityLevel: 3,
          }),
        ),
      ),
  };
}

/** Always true: without onnxruntime-web, the page's bundler would have failed. */
export function isInstalled(): boolean {
  return true;
}

/** The state of onnxruntime's telemetry; onnxruntime-web has none. */
export function telemetry(): Telemetry {
  return 'off';
}

/** One call at a time: each keeps its arguments on the runtime's single stack while it waits for its inputs. */
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(call: () => Promise<T>): Promise<T> {
  const result = turn.then(call);
  turn = result.catch(() => undefined);
  return result;
}

/** The runtime computes into its own memory even if it is given outputs, so results are copied. */
function wrapSession(session: Ort.InferenceSession): Session {
  return {
    async run(feeds, fetches) {
      const results = await inTurn(() => session.run(feeds as Tensors, Object.keys(fetches)));
      for (const [name, { data }] of Object.entries(fetches)) {
        const result = results[name];
        if (result !== undefined) (data as Data).set(result.data as Data);
      }
      await yieldToEventLoop();
    },
    endProfiling() {},
    release: () => inTurn(() => session.release()),
  };
}

async function needsAdapter(): Promise<void> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<object | null> } };
  if (!(await gpu?.requestAdapter()))
    throw new InputError(
      'backend "onnx": this browser offers no WebGPU adapter; use the provider "wasm"',
    );
}

async function load(provider: 'wasm' | 'webgpu'): Promise<typeof Ort> {
  try {
    // Two literal imports, so that a bundler ships one binary and keeps the other separate.
    return provider === 'wasm'
      ? await import('onnxruntime-web/wasm')
      : await import('onnxruntime-web/webgpu');
  } catch (error) {
    throw new InputError(
      `backend "onnx": onnxruntime-web cannot be loaded (${(error as Error).message}); install it with: npm i onnxruntime-web`,
    );
  }
}
