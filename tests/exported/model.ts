/** Models to export, what `onnx` and `wasm` make of them here, and their files in another copy of onnxruntime. */

import { onnxModel } from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  type ExportedModel,
  type ExportSource,
  type HostArray,
  openBackend,
  rng,
} from '@grok/core';
import { div } from '@grok/data';
import { hookModel } from '@grok/interp';
import { type TransformerOptions, transformer } from '@grok/model';
import type * as Ort from 'onnxruntime-node';

/** Models that differ in all that the file must tell apart. */
export const MODELS: Readonly<Record<string, TransformerOptions>> = {
  'the paper’s': { dim: 16 },
  'of several heads, with layer norms and learned positions': {
    ...{ dim: 16, heads: 4, depth: 1, mlp: 'gelu', norm: 'layer', positions: 'learned' },
  },
  'that sees all positions and reads their mean': {
    ...{ dim: 16, heads: 2, mlp: 'relu', norm: 'none', positions: 'none' },
    ...{ causal: false, pool: 'mean' },
  },
};

/** A model with random weights, as an exporter gets it. */
export function makeSource(
  options: TransformerOptions,
): ExportSource & { exported: ExportedModel } {
  const task = div({ p: 7 });
  const { vocabulary, inputs } = task;
  const model = transformer(options)({
    vocabulary,
    inputs: { shape: inputs.shape, dtype: inputs.dtype },
  });
  const { algebra: _, ...written } = options;
  const use = { use: 'div', options: { p: 7 } };
  const experiment = {
    ...{ task: use, optimizer: { use: 'adamw' }, batch: 8, epochs: 1, seed: 1 },
    model: { use: 'transformer', options: written },
  };
  const run = {
    ...{ key: 'teacher@1', name: 'teacher', role: 'teacher' as const, experiment, history: [] },
    manifest: {
      ...{ format: 'grok manifest 1' as const, run: '0'.repeat(64), slug: 'div7' },
      ...{
        status: 'finished' as const,
        parameters: 0,
        epoch: 0,
        step: 0,
        splitHash: '0'.repeat(64),
      },
      ...{ seeds: { seed: 1, splitSeed: 1 }, backend: 'wasm', device: 'none', threads: 1 },
      ...{ execution: {}, versions: {}, seconds: 0 },
    },
  };
  const exported = { run, task, model, params: model.init(rng(3)), epoch: 0, step: 0 };
  return { title: 'div', runs: [run], exported, model: async () => exported };
}

/** The largest distance of any site's value in the exported file from its value here, over so many rows. */
export async function largestDistance(
  ort: Pick<typeof Ort, 'InferenceSession' | 'Tensor'>,
  options: TransformerOptions,
  rows: number,
): Promise<{ readonly distance: number; readonly outputs: readonly string[] }> {
  const source = makeSource(options);
  const { model, params, task } = source.exported;
  const files = await onnxModel()(source);
  const file = files['model.onnx'];
  if (!(file instanceof Uint8Array)) throw new Error('there is no model.onnx');
  const session = await ort.InferenceSession.create(file);
  const [, length = 0] = task.inputs.shape;
  const data = Int32Array.from(task.inputs.data.subarray(0, rows * length));
  const results = await session.run({ inputs: new ort.Tensor('int32', data, [rows, length]) });
  await session.release();
  const backend = await openBackend(createRegistry([wasm]), { backend: 'wasm', threads: 1 });
  const hooked = hookModel({ backend, model, params });
  const inputs: HostArray = { data, shape: [rows, length], dtype: 'int32' };
  const { cache } = await hooked.runWithCache(inputs);
  hooked.dispose();
  await backend.dispose();
  const distances = Object.entries(cache).map(([site, { data, shape }]) => {
    const result = results[site];
    if (result?.dims.join() !== shape.join())
      throw new Error(`${site}: must be of shape [${shape}], got [${result?.dims}]`);
    const found = Float32Array.from(result.data as Float32Array);
    return Math.max(...found.map((value, i) => Math.abs(value - (data[i] ?? Number.NaN))));
  });
  return { distance: Math.max(...distances), outputs: session.outputNames };
}
