/** The exporter `transformerlens`: shapes and places of HookedTransformer's state dict; its numbers are Python's to check. */
import { type ExportSource, rng } from '@grok/core';
import { readSafetensors } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import { type TransformerOptions, transformer, transformerLens } from '../src/index.js';

const INPUTS = { shape: [1, 4], dtype: 'int32', data: new Int32Array(4) } as const;
function makeSource(options: TransformerOptions, more: object = {}): ExportSource {
  const model = transformer(options)({ vocabulary: 7, inputs: { shape: [1, 4], dtype: 'int32' } });
  const experiment = {
    ...{ task: { use: 'div' }, optimizer: { use: 'adamw' }, batch: 8, epochs: 1, seed: 1 },
    model: { use: 'transformer', options: { ...options, algebra: {} } },
    ...more,
  };
  const run = {
    ...{ key: 'teacher', name: 'teacher', role: 'teacher' as const, history: [], experiment },
    manifest: {
      ...{ format: 'grok manifest 1' as const, run: '0'.repeat(64), slug: 'div', threads: 1 },
      ...{ status: 'finished' as const, parameters: 0, epoch: 0, step: 0, splitHash: '' },
      ...{ seeds: { seed: 1, splitSeed: 1 }, backend: 'wasm', device: 'none' },
      ...{ execution: {}, versions: {}, seconds: 0 },
    },
  };
  const task = { vocabulary: 7, inputs: INPUTS, labels: Int32Array.of(0), show: () => '' };
  const exported = { run, task, model, params: model.init(rng(1)), epoch: 0, step: 0 };
  return { title: 'div', runs: [run], model: async () => exported };
}
async function exportTensors(options: TransformerOptions) {
  const source = makeSource(options);
  const files = await transformerLens()(source);
  const { tensors } = readSafetensors(files['model.safetensors'] as Uint8Array, 'file');
  return { tensors, files, params: (await source.model()).params };
}

describe('a state dict of TransformerLens', () => {
  it('has a head’s columns in a matrix of its own, and zero biases', async () => {
    // Catches: rows of a head taken for its columns, heads in another order, a bias that is drawn.
    const { tensors, params } = await exportTensors({ dim: 8, heads: 2, depth: 1 });
    const ours = params['blocks.0.attn.W_K'];
    const theirs = tensors['blocks.0.attn.W_K'];
    expect(theirs?.shape).toEqual([2, 8, 4]);
    for (const [head, row, column] of [
      [0, 0, 3],
      [1, 0, 0],
      [1, 7, 2],
    ] as const)
      expect(theirs?.data[(head * 8 + row) * 4 + column]).toBe(
        ours?.data[row * 8 + head * 4 + column],
      );
    expect(tensors['blocks.0.attn.W_O']?.shape).toEqual([2, 4, 8]);
    expect(tensors['blocks.0.attn.W_O']?.data).toEqual(params['blocks.0.attn.W_O']?.data);
    const biases = Object.entries(tensors).filter(([name]) => /\.b_/.test(name));
    expect(biases).toHaveLength(7);
    for (const [, { data }] of biases) expect(Math.max(...Array.from(data, Number))).toBe(0);
  });
  it('comes with the configuration that computes the same', async () => {
    const paper = JSON.parse(String((await exportTensors({})).files['config.json']));
    expect(paper).toMatchObject({
      ...{ n_layers: 2, d_model: 128, n_ctx: 4, d_vocab: 7, act_fn: 'silu', gated_mlp: true },
      ...{ normalization_type: 'RMS', rotary_base: 1e6, rotary_dim: 128, attention_dir: 'causal' },
    });
    const { tensors, files } = await exportTensors({
      ...{ dim: 8, norm: 'layer', positions: 'none', mlp: 'gelu', pool: 'mean', causal: false },
    });
    expect(JSON.parse(String(files['config.json']))).toMatchObject({
      ...{ normalization_type: 'LN', positional_embedding_type: 'standard', act_fn: 'gelu_new' },
      attention_dir: 'bidirectional',
    });
    expect(tensors['pos_embed.W_pos']?.shape).toEqual([4, 8]);
    expect(files['load.py']).toContain('model(tokens).mean(1)');
  });
  it.each([
    [{ model: { use: 'mlp' } }, 'the model must be "transformer", got "mlp"'],
    [{ transforms: [{ use: 'prune' }] }, 'the model must have no transforms, got "prune"'],
  ])('refuses %j', async (more, rule) => {
    await expect(transformerLens()(makeSource({ dim: 8 }, more))).rejects.toThrow(rule);
  });
});
