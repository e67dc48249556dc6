/** Neurons by themselves: what they answer, found by ascent and by exhaustion, and what they do to the logits. */
import { readFileSync } from 'node:fs';
import type { HostArray } from '@grok/core';
import { reader } from '@grok/core/internal';
import {
  ascendNeuron,
  type HookedModel,
  hookModel,
  matchNeurons,
  neuronEffects,
} from '@grok/interp';
import { describe, expect, test } from 'vitest';
import { decodeFixture, type Fixture, fixtureUrl, withModel } from './fixtures.js';

const load = (name: string): Fixture => decodeFixture(readFileSync(fixtureUrl(name)), name);
const FREE = [0, 2];

/** Every row `[a, op, b, =]` modulo p, and the activations of the last block's neurons on it. */
async function readAll(
  model: HookedModel,
  p: number,
  layer: number,
): Promise<{ inputs: HostArray; activation: (row: number, neuron: number) => number }> {
  const rows = Array.from({ length: p * p }, (_, i) => [Math.floor(i / p), p, i % p, p + 1]);
  const inputs: HostArray = {
    data: Int32Array.from(rows.flat()),
    shape: [p * p, 4],
    dtype: 'int32',
  };
  const site = `blocks.${layer}.mlp.hook_post`;
  const { data, shape } = reader('site', (await model.runWithCache(inputs, [site])).cache)(site);
  const [, positions = 1, width = 1] = shape;
  const activation = (row: number, neuron: number): number =>
    data[((row + 1) * positions - 1) * width + neuron] ?? 0;
  return { inputs, activation };
}

describe('gradient ascent in embedding space', () => {
  test.each([
    ['nanda-add29-heads1', 29],
    ['transformer-div23-heads1', 23],
  ])(
    'finds the input that exhaustion finds, in %s',
    async (name, p) => {
      // Catches: gradients of another neuron or position, tokens that are not those of the point, too few starts.
      const fixture = load(name);
      await withModel(fixture, 'onnx', async (model) => {
        const layer = fixture.layers - 1;
        const { activation } = await readAll(model, p, layer);
        let same = 0;
        for (const neuron of [0, 1, 2, 3, 4, 5]) {
          const values = Array.from({ length: p * p }, (_, row) => activation(row, neuron));
          const most = Math.max(...values);
          const best = values.indexOf(most);
          const options = { layer, neuron, row: [0, p, 0, p + 1], free: FREE };
          const residues = [...new Array(p).keys()];
          const { found, chance } = await ascendNeuron(model, { ...options, tokens: residues });
          const [first = { tokens: [0, 0, 0, 0], activation: 0 }] = found;
          const [a = 0, , b = 0] = first.tokens;
          expect(first.activation).toBeCloseTo(values[a * p + b] ?? Number.NaN, 4);
          expect(first.activation).toBeGreaterThan(chance);
          if (a * p + b === best) same++;
        }
        expect(same).toBe(6);
      });
    },
    180_000,
  );

  test('names what it cannot search', async () => {
    await withModel(load('nanda-add29-heads1'), 'onnx', async (model) => {
      const row = [0, 29, 0, 30];
      await expect(ascendNeuron(model, { layer: 0, neuron: 32, row, free: [0] })).rejects.toThrow(
        'neuron must be an integer from 0 to 31',
      );
      await expect(ascendNeuron(model, { layer: 0, neuron: 0, row, free: [4] })).rejects.toThrow(
        'a free position must be an integer from 0 to 3, got 4',
      );
      await expect(
        ascendNeuron(model, { layer: 0, neuron: 0, row, free: [0], tokens: [31] }),
      ).rejects.toThrow('a token must be an integer from 0 to 30, got 31');
      await expect(
        ascendNeuron(model, { layer: 0, neuron: 0, row: [0], free: [0] }),
      ).rejects.toThrow('needs a row of 4 tokens');
    });
  });
});

describe('matched neurons', () => {
  test('stand beside what chance would show', async () => {
    await withModel(load('transformer-div23-heads1'), 'onnx', async (model) => {
      const { inputs } = await readAll(model, 23, 1);
      const layers = await matchNeurons(model, model, inputs, { chance: true });
      expect(layers).toHaveLength(2);
      for (const { a, b, correlation, chance = 1 } of layers.flat()) {
        expect([a, correlation]).toEqual([b, expect.closeTo(1, 4)]);
        expect(chance).toBeGreaterThan(0);
        expect(chance).toBeLessThan(0.2);
      }
    });
  });
});

describe('effects of neurons', () => {
  test('are mean activation · W_out · W_U where nothing is between, and 0 of one that writes nothing', async () => {
    const fixture = load('nanda-add29-heads1');
    await withModel(fixture, 'onnx', async (model) => {
      const out = reader('parameter', model.params)('blocks.0.mlp.W_out');
      const unembed = reader('parameter', model.params)('unembed.W_U');
      const [, width = 0] = out.shape;
      const [, classes = 0] = unembed.shape;
      const batch = fixture.pairs.clean;
      const site = 'blocks.0.mlp.hook_post';
      const post = reader('site', (await model.runWithCache(batch.inputs, [site])).cache)(site);
      const [rows = 1, positions = 1, neurons = 1] = post.shape;
      const [effect] = await neuronEffects(model, batch, { layer: 0, neurons: [5] });
      let mean = 0;
      for (let row = 0; row < rows; row++)
        mean += (post.data[((row + 1) * positions - 1) * neurons + 5] ?? 0) / rows;
      const direct = Array.from({ length: classes }, (_, c) => {
        let sum = 0;
        for (let d = 0; d < width; d++)
          sum += (out.data[5 * width + d] ?? 0) * (unembed.data[d * classes + c] ?? 0);
        return mean * sum;
      });
      const level = direct.reduce((sum, v) => sum + v, 0) / classes;
      for (const [c, v] of direct.entries()) expect(effect?.logits[c]).toBeCloseTo(v - level, 4);
      expect(Math.abs(effect?.loss ?? 0)).toBeGreaterThan(1e-6);

      const silent = Float32Array.from(out.data);
      silent.fill(0, 5 * width, 6 * width);
      const params = { ...model.params, 'blocks.0.mlp.W_out': { ...out, data: silent } };
      const other = hookModel({ backend: model.backend, model: model.model, params });
      const [none] = await neuronEffects(other, batch, { layer: 0, neurons: [5] });
      expect(none).toMatchObject({ neuron: 5, accuracy: 0 });
      for (const v of [...(none?.logits ?? [1]), none?.loss ?? 1]) expect(v).toBeCloseTo(0, 4);
      other.dispose();
    });
  });
});
