/** The probe of frequencies, on functions whose frequencies are known. */
import type { Snapshot } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { probes } from '../src/index.js';
import { host } from './draws.js';

const p = 13;
const KEYS = [2, 5];
const pairs = Array.from({ length: p * p }, (_, row) => [Math.floor(row / p), row % p] as const);
const wave = (k: number, x: number): number => Math.cos((2 * Math.PI * k * x) / p);
const logits = pairs.flatMap(([a, b]) =>
  Array.from({ length: p + 2 }, (_, c) =>
    c < p ? KEYS.reduce((sum, k) => sum + 4 * wave(k, a + b - c), 0) : -30,
  ),
);
/** Neuron i at the last of two positions speaks of one key; the last one is silent. */
const neurons = pairs.flatMap(([a, b]) => [
  ...[9, 9, 9],
  ...[wave(2, a) * wave(2, b), wave(5, a) + wave(5, b), 0],
]);
const snapshot: Snapshot = {
  epoch: 1,
  step: 1,
  params: {},
  sites: {
    logits: host([p * p, p + 2], logits),
    'blocks.0.mlp.hook_post': host([p * p, 2, 3], neurons),
  },
  rows: Int32Array.from(pairs.keys()),
  task: {
    vocabulary: p + 2,
    inputs: {
      data: Int32Array.from(pairs.flatMap(([a, b]) => [a, p, b, p + 1])),
      shape: [p * p, 4],
      dtype: 'int32',
    },
    labels: Int32Array.from(pairs, ([a, b]) => (a + b) % p),
    show: String,
    modular: { p, op: 'add' },
  },
  model: { layers: 1, width: 3, heads: 1, sites: [] },
  history: [],
};

describe('fourier', () => {
  it('finds exactly the frequencies that were put in, and the neurons that they explain', async () => {
    expect(probes.fourier({}).needs.sites).toEqual(['logits']);
    const probe = probes.fourier({ neurons: true });
    expect(probe.needs).toEqual({ sites: ['logits', 'blocks.*.mlp.hook_post'], rows: 'all' });
    const found = (await probe.on(snapshot)) as unknown as {
      keys: { frequency: number; share: number }[];
      losses: { full: number; restricted: number; excluded: number };
      neurons: Record<string, { explained: number; byFrequency: number[][] }>;
    };
    expect(found.keys.map(({ frequency }) => frequency).sort()).toEqual(KEYS);
    // Nothing but the keys is in these logits: restricted they are whole, without them they know nothing.
    expect(found.losses.restricted).toBeCloseTo(found.losses.full, 4);
    expect(found.losses.excluded).toBeCloseTo(Math.log(p), 2);
    // Catches: another position's values, a constant neuron counted as explained.
    expect(found.neurons['blocks.0.mlp.hook_post']).toMatchObject({ count: 3, explained: 2 / 3 });
    expect(found.neurons['blocks.0.mlp.hook_post']?.byFrequency.map(([k]) => k).sort()).toEqual([
      ...[0, 2, 5],
    ]);
  });
});
