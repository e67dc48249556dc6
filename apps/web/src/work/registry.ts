/** What the page comes with: the command line's plugins, their binaries placed for a browser. */
import onnxPlugin, { onnx } from '@grok/backend-onnx';
import wasmPlugin, { wasm } from '@grok/backend-wasm';
import {
  type ComponentDefinition,
  createRegistry,
  type Execution,
  type Host,
  openBackend,
  type Plugin,
  type Registry,
} from '@grok/core';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import metrics from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';
import * as tf from '@grok/tfjs';
import { placeWasmFiles } from './wasm-files.js';

const placedWasm: Plugin = {
  ...wasmPlugin,
  components: [
    {
      ...wasm,
      async create(options: unknown, host: Host) {
        await placeWasmFiles();
        return wasm.create(options, host);
      },
    },
  ],
};
/** A backend of its own name: other bits come of it, so a run that began on it stays on it. */
const webgpu: ComponentDefinition<'backend', object> = {
  ...onnx,
  name: 'onnx-webgpu',
  summary: 'The same graph on the GPU.',
  create: (options, host) => onnx.create({ ...options, provider: 'webgpu' }, host),
};

/** A registry of all that the page comes with; WebGPU where this browser has an adapter. */
export async function openPageRegistry(): Promise<Registry> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<object | null> } };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return createRegistry([
    ...[data, model, optim, logit, attention, feature, metrics, placedWasm],
    adapter ? { ...onnxPlugin, components: [onnx, webgpu] } : onnxPlugin,
  ]);
}

/**
 * Loads a backend's code and binary, by a program that does next to nothing. The backend has one pool of
 * threads in a page, which the first to open it sizes.
 */
export async function loadBackend(registry: Registry, execution: Execution): Promise<void> {
  const backend = await openBackend(registry, execution);
  try {
    const one = { x: { shape: [1], dtype: 'float32' } } as const;
    const twice = ({ x }: { x: tf.Tensor }): { x: tf.Tensor } => ({ x: tf.add(x, x) });
    const program = await backend.compile('load', twice, one);
    program.dispose();
  } finally {
    await backend.dispose();
  }
}
