/** Known circuits are found, are minimal by independent evaluations, and overlap as expected. */
import wasm from '@grok/backend-wasm';
import {
  type Backend,
  createRegistry,
  type HostArray,
  type HostParams,
  type Model,
  openBackend,
  rng,
} from '@grok/core';
import {
  type Circuit,
  compareCircuits,
  findCircuit,
  getActName,
  type HookedModel,
  hookModel,
  type LabeledBatch,
  matchNeurons,
  type ScoredComponent,
} from '@grok/interp';
import { transformer } from '@grok/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFixture } from './read-fixture.js';

const V = 4;
let backend: Backend;
beforeAll(async () => {
  backend = await openBackend(createRegistry([wasm]), { backend: 'wasm' });
}, 60_000);
afterAll(() => backend.dispose());

const matrix = (
  rows: number,
  columns: number,
  entries: readonly (readonly [number, number, number])[],
): HostArray => {
  const data = new Float32Array(rows * columns);
  for (const [row, column, value] of entries) data[row * columns + column] = value;
  return { data, shape: [rows, columns], dtype: 'float32' };
};
const each = <T>(f: (i: number) => T): T[] => Array.from({ length: V }, (_, i) => f(i));

/**
 * Predicts the first of two tokens. Head 0 (of 3) copies the mean of both to the second part of the
 * residual stream, neuron j subtracts the second token and writes logit j; heads 1 and 2 and
 * neurons 4 to 7 write nothing.
 */
const copier: HostParams = {
  'embed.W_E': matrix(
    V,
    3 * V,
    each((i) => [i, i, 1] as const),
  ),
  'blocks.0.attn.W_Q': matrix(3 * V, 3 * V, []),
  'blocks.0.attn.W_K': matrix(3 * V, 3 * V, []),
  'blocks.0.attn.W_V': matrix(
    3 * V,
    3 * V,
    [0, 1, 2].flatMap((h) => each((i) => [i, h * V + i, 1] as const)),
  ),
  'blocks.0.attn.W_O': matrix(
    3 * V,
    3 * V,
    each((i) => [i, V + i, 1] as const),
  ),
  'blocks.0.mlp.W_in': matrix(3 * V, 2 * V, [
    ...each((i) => [V + i, i, 2] as const),
    ...each((i) => [i, i, -1] as const),
    ...each((i) => [i, V + i, 1] as const),
  ]),
  'blocks.0.mlp.W_out': matrix(
    2 * V,
    3 * V,
    each((i) => [i, 2 * V + i, 1] as const),
  ),
  'unembed.W_U': matrix(
    3 * V,
    V,
    each((i) => [2 * V + i, i, 1] as const),
  ),
};
const build = (pool: 'cls' | 'mean'): Model =>
  transformer({
    ...{ dim: 3 * V, depth: 1, heads: 3, dMlp: 2 * V },
    ...{ norm: 'none', positions: 'none', mlp: 'relu', pool },
  })({ vocabulary: V, inputs: { shape: [V * V, 2], dtype: 'int32' } });
const model = build('cls');
const batch: LabeledBatch = {
  inputs: {
    data: Int32Array.from(each((a) => each((b) => [a, b])).flat(2)),
    shape: [V * V, 2],
    dtype: 'int32',
  },
  labels: Int32Array.from({ length: V * V }, (_, row) => Math.floor(row / V)),
};
const hook = (params: HostParams): HookedModel => hookModel({ backend, model, params });
const hookMean = (params: HostParams): HookedModel =>
  hookModel({ backend, model: build('mean'), params });
const listNames = (circuit: Circuit): string[] => circuit.members.map(({ name }) => name).sort();
const KNOWN = ['L0H0', 'L0N0', 'L0N1', 'L0N2', 'L0N3'];

describe('findCircuit', () => {
  test.each(['exact', 'attribution'] as const)(
    'finds a known circuit in %s order',
    async (order) => {
      // Catches: useless components kept, useful ones dropped, updates that differ from forward
      // passes.
      for (const ablate of ['mean', 'zero'] as const) {
        const circuit = await findCircuit(hook(copier), { batch, keep: 0.99, order, ablate });
        expect(listNames(circuit)).toEqual(KNOWN);
        expect(circuit.share).toBeCloseTo(1, 5);
        expect(Object.keys(circuit.without).sort()).toEqual(KNOWN);
        expect(circuit.evaluations.logitUpdates).toBeGreaterThan(0);
      }
    },
  );

  test('also updates the logits of a model with mean pooling', async () => {
    // Catches: changes at the last position only, when all positions are read.
    const circuit = await findCircuit(hookMean(copier), { batch, keep: 0.99 });
    expect(listNames(circuit)).toEqual(KNOWN);
    expect(circuit.evaluations.logitUpdates).toBeGreaterThan(0);
    const neuron = { site: getActName('post', 0), neuron: 1, ablate: 'mean' } as const;
    const effect = circuit.components.find(({ name }) => name === 'L0N1')?.effect ?? Number.NaN;
    const value = await hookMean(copier).measure(batch, 'logitDifference', [neuron]);
    expect((circuit.full - value) / (circuit.full - circuit.ablated)).toBeCloseTo(effect, 5);
  });

  test('finds it by heads and MLPs', async () => {
    const circuit = await findCircuit(hook(copier), { batch, kinds: ['head', 'mlp'] });
    expect(listNames(circuit)).toEqual(['L0H0', 'L0MLP']);
  });

  test('keeps the share in a model with norms, and every member is needed', async () => {
    // Catches: logit updates where a norm does not allow them, shares that no forward pass has,
    // sets that are not minimal.
    const fixture = readFixture('transformer-div23-heads4');
    const hooked = hookModel({ backend, model: fixture.model, params: fixture.params });
    const { clean } = fixture.pairs;
    const options = { batch: clean, keep: 0.8, kinds: ['head', 'mlp'] } as const;
    const circuit = await findCircuit(hooked, options);
    expect(circuit.evaluations.logitUpdates).toBe(0);
    const computeShare = async (members: readonly ScoredComponent[]): Promise<number> => {
      const kept = new Set(members.map(({ name }) => name));
      const value = await hooked.measure(
        clean,
        'logitDifference',
        circuit.components
          .filter(({ name }) => !kept.has(name))
          .map(({ kind, layer, index }) => ({
            ...(kind === 'head'
              ? { site: getActName('z', layer), head: index }
              : { site: getActName('mlp_out', layer) }),
            ablate: 'mean' as const,
          })),
      );
      return (value - circuit.ablated) / (circuit.full - circuit.ablated);
    };
    expect(circuit.share).toBeGreaterThanOrEqual(0.8);
    expect(await computeShare(circuit.members)).toBeCloseTo(circuit.share, 4);
    for (const member of circuit.members) {
      const share = await computeShare(circuit.members.filter((it) => it !== member));
      expect(share).toBeLessThan(0.8);
      expect(share).toBeCloseTo(circuit.without[member.name] ?? Number.NaN, 4);
    }
    hooked.dispose();
  });

  test('reports mismatched input', async () => {
    await expect(findCircuit(hook(copier), { batch, keep: 2 })).rejects.toThrow(
      'keep must be above 0 and at most 1, got 2',
    );
    await expect(findCircuit(hook(copier), { batch, kinds: ['mlp', 'neuron'] })).rejects.toThrow(
      'heads and MLPs, or heads and neurons',
    );
    const silent = { ...copier, 'unembed.W_U': matrix(3 * V, V, []) };
    await expect(findCircuit(hook(silent), { batch })).rejects.toThrow(
      'is 0 with and without all components',
    );
  });
});

/** The same model with its neurons permuted. */
function permuteNeurons(params: HostParams, order: readonly number[]): HostParams {
  const [win, wout] = [params['blocks.0.mlp.W_in'], params['blocks.0.mlp.W_out']];
  if (win === undefined || wout === undefined) throw new RangeError('no MLP');
  const entries = (f: (neuron: number, dim: number) => readonly [number, number, number]) =>
    order.flatMap((_, neuron) => Array.from({ length: 3 * V }, (__, dim) => f(neuron, dim)));
  return {
    ...params,
    'blocks.0.mlp.W_in': matrix(
      3 * V,
      order.length,
      entries((neuron, dim) => [dim, neuron, win.data[dim * 2 * V + (order[neuron] ?? 0)] ?? 0]),
    ),
    'blocks.0.mlp.W_out': matrix(
      order.length,
      3 * V,
      entries((neuron, dim) => [neuron, dim, wout.data[(order[neuron] ?? 0) * 3 * V + dim] ?? 0]),
    ),
  };
}

describe('overlap', () => {
  const order = [6, 1, 4, 0, 7, 3, 5, 2];

  test('matches permuted neurons, also in a narrower model', async () => {
    // Catches: assignments read for the wrong model; correlations at the wrong position.
    const other = hook(permuteNeurons(copier, order));
    const [matches = []] = await matchNeurons(hook(copier), other, batch.inputs);
    expect(matches.map(({ a, b }) => order[b] === a)).toEqual(
      Array.from({ length: 8 }, () => true),
    );
    expect(Math.min(...matches.map(({ correlation }) => correlation))).toBeCloseTo(1, 5);
    const label = ({ data, shape: [, width = 0] }: HostArray): number[] =>
      Array.from(data.subarray(0, width), (value) => Math.round(1e3 * value));
    const [labeled = []] = await matchNeurons(hook(copier), other, batch.inputs, { label });
    expect(labeled.every(({ labels }) => labels !== undefined && labels.a === labels.b)).toBe(true);
    expect(new Set(labeled.map(({ labels }) => labels?.a)).size).toBeGreaterThan(1);
    const narrow = transformer({
      dim: 3 * V,
      depth: 1,
      heads: 3,
      dMlp: 3,
      norm: 'none',
      positions: 'none',
      mlp: 'relu',
    });
    const small = narrow({ vocabulary: V, inputs: { shape: [V * V, 2], dtype: 'int32' } });
    const student = hookModel({ backend, model: small, params: permuteNeurons(copier, [3, 6, 0]) });
    const [few = []] = await matchNeurons(hook(copier), student, batch.inputs);
    expect(few.map(({ a, b }) => [a, b])).toEqual([
      [0, 2],
      [3, 0],
      [6, 1],
    ]);
  });

  test('of a permuted copy is complete, and above chance', async () => {
    // Catches: components compared by index; a null distribution that keeps the pairs.
    const [a, b] = [hook(copier), hook(permuteNeurons(copier, order))];
    const [first, second] = [
      await findCircuit(a, { batch, keep: 0.99 }),
      await findCircuit(b, { batch, keep: 0.99 }),
    ];
    expect(() => compareCircuits(first, second)).toThrow('neurons must be matched first');
    const overlap = compareCircuits(first, second, {
      neurons: await matchNeurons(a, b, batch.inputs),
    });
    expect(overlap.jaccard.value).toBe(1);
    expect(overlap.jaccard.chance).toBeLessThan(0.5);
    expect(overlap.rankCorrelation.value).toBeGreaterThan(0.8);
    expect(overlap).toMatchObject({ matched: 11, alone: { a: 0, b: 0 } });
    expect(overlap.jaccard.p).toBeLessThan(0.05);
  });

  test('of random pairs is below .05 in 5 % of them', () => {
    // Catches: a null of other sizes, or one that leaves the value itself out.
    // The overlap of two small sets takes few values, so that fewer than 5 % can be below .05.
    const [COMPONENTS, MEMBERS] = [200, 85];
    const random = rng(5);
    const draw = (label: string): Circuit => {
      const effects = random.split(label).normal(COMPONENTS);
      const kept = random.split(`${label} kept`).permutation(COMPONENTS).subarray(0, MEMBERS);
      const components = Array.from(effects, (effect, index): ScoredComponent => {
        const layer = index % 2;
        return { name: `L${layer}H${index}`, kind: 'head', layer, index, effect };
      });
      const members = [...kept].flatMap((i) => components[i] ?? []);
      return {
        members,
        components,
        full: 1,
        ablated: 0,
        share: 1,
        keep: 0.9,
        without: {},
        evaluations: { forwardPasses: 0, logitUpdates: 0 },
      };
    };
    const pairs = Array.from({ length: 1000 }, (_, i) =>
      compareCircuits(draw(`a${i}`), draw(`b${i}`), { draws: 19, seed: i }),
    );
    const level = (which: 'jaccard' | 'rankCorrelation'): number =>
      pairs.filter((overlap) => overlap[which].p <= 0.05).length / pairs.length;
    for (const which of ['jaccard', 'rankCorrelation'] as const) {
      expect(level(which)).toBeGreaterThan(0.03);
      expect(level(which)).toBeLessThan(0.07);
    }
  });
});
