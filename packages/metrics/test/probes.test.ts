/** The probes that look inside, on a snapshot by hand; and the published layout. */
import { type Json, parseOptions, type Snapshot } from '@grok/core';
import { toJsonSchema } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { describe, expect, it } from 'vitest';
import plugin, {
  asPublished,
  attentionEntropy,
  cka,
  computeEffectiveRanks,
  probes,
} from '../src/index.js';
import { gaussian, host } from './draws.js';

const pattern = host([2, 1, 2, 2], [1, 0, 0.5, 0.5, 1, 0, 0.25, 0.75]);
const state = (label: string, d = 3) => host([4, 2, d], gaussian(label, 8, d).to1DArray());
const params = {
  'embed.W_E': host([2, 3], [1, 0, 0, 0, 1, 0]),
  'ln_final.w': host([3], [1, 1, 1]),
};
const snapshot: Snapshot = {
  epoch: 3,
  step: 30,
  params,
  sites: { resid: state('r'), pattern },
  rows: Int32Array.from([5, 2, 0, 7]),
  task: {
    vocabulary: 5,
    inputs: {
      data: Int32Array.from({ length: 32 }, (_, i) => i % 3),
      shape: [8, 4],
      dtype: 'int32',
    },
    labels: Int32Array.from([0, 1, 0, 1, 0, 1, 0, 1]),
    show: String,
    modular: { p: 3, op: 'add' },
  },
  model: { layers: 1, width: 3, heads: 1, sites: [] },
  history: [],
};
const only = (...sites: string[]) => ({
  ...snapshot,
  sites: Object.fromEntries(
    Object.entries(snapshot.sites).filter(([site]) => sites.includes(site)),
  ),
});
const plain = (value: Json) => JSON.parse(JSON.stringify(value)) as Json;

describe('probes inside the model', () => {
  it('attention-entropy asks for its sites over the first 500 validation rows', () => {
    const probe = probes.attentionEntropies({ sites: ['pattern'] });
    expect(probe.needs).toEqual({ sites: ['pattern'], rows: 500 });
    expect(probe.when).toBe('end');
    expect(probe.on(only('pattern'))).toEqual({ pattern: attentionEntropy(pattern) });
    expect(() => probes.attentionEntropies({ sites: [] })).toThrow('sites');
  });
  it('effective-ranks: activations are centered, weights are not, vectors are no matrices', () => {
    const found = probes.effectiveRanks({ sites: ['resid'], crossing: 0.99 }).on(only('resid'));
    expect(found).toEqual({
      sites: { resid: computeEffectiveRanks(snapshot.sites.resid!) },
      weights: { 'embed.W_E': expect.objectContaining({ participation: expect.closeTo(2, 10) }) },
    });
    expect(probes.effectiveRanks({ weights: false }).on(only())).toEqual({
      sites: {},
      weights: {},
    });
  });
  it('neurons are told by label, a and b of the rows at hand', () => {
    const values = host([4, 2, 2], [9, 9, 1, 0, 9, 9, 0, 0, 9, 9, 0, 0, 9, 9, 1, 0]);
    const found = probes.neurons({ sites: ['post'] }).on({ ...snapshot, sites: { post: values } });
    expect(found).toEqual({
      post: { count: 2, dead: [1], specialised: { label: [0], a: [], b: [] } },
    });
  });
  it('weight-statistics by layer', () => {
    const found = probes.weightStatistics({ bins: 2 }).on(snapshot) as Record<string, Json>;
    expect(found.all).toMatchObject({ count: 9, l0: 5, histogram: { counts: [4, 5] } });
    expect(Object.keys(found.layers as object)).toEqual(['embed', 'ln_final']);
  });
  it('give JSON: the kurtosis of a constant layer is null, not NaN', async () => {
    const all = [
      probes.attentionEntropies({ sites: ['pattern'] }).on(only('pattern')),
      probes.effectiveRanks().on(only()),
      probes.neurons({ sites: ['resid'] }).on(only('resid')),
      probes.weightStatistics().on(snapshot),
    ];
    for (const found of await Promise.all(all)) expect(plain(found)).toStrictEqual(found);
    const { layers } = all[3] as { layers: { ln_final: { kurtosis: null } } };
    expect(layers.ln_final.kurtosis).toBeNull();
  });
  it('say which of them is told to run in two ways', () => {
    // Catches: the name of another probe, copied with its line.
    const timed = plugin.components.filter(({ name }) => name !== 'crossings');
    for (const { name, options, create } of timed) {
      const keys = toJsonSchema(options).required ?? [];
      const needed = Object.fromEntries(
        keys.filter((key) => key === 'sites').map((key) => [key, ['resid']]),
      );
      const given = parseOptions(name, options, { ...needed, every: 2, crossing: 0.9 });
      expect(() => create(given, { tf })).toThrow(`probe "${name}": runs "every" n epochs or`);
    }
  });
  it('are all in the plugin, under names of their own', () => {
    const names = plugin.components.map(({ name }) => name).sort();
    expect(names).toEqual([
      'attention-entropy',
      'attention-flow',
      'attention-modes',
      'crossings',
      'effective-ranks',
      'fourier',
      'gradients',
      'layouts',
      'neuron-images',
      'neurons',
      'peak-memory',
      'score',
      'singular-spectra',
      'weight-norms',
      'weight-statistics',
    ]);
  });
});

const inside = (label: string, d: number) => ({
  params,
  states: [0, 1, 2, 3, 4, 5].map((i) => state(label + i, d)),
  patterns: [pattern, pattern],
});
const [teacher, logit] = [inside('t', 3), inside('l', 2)];

it('the published layout: states 0 and 1 as layers, biased CKA, positions as rows', () => {
  expect(asPublished(teacher, { logit })).toEqual({
    weight_statistics: {
      teacher: { L0: 5, L1: 5, L2: Math.sqrt(5), total_params: 9, sparsity: 1 - 5 / 9 },
      student_logit: expect.objectContaining({ L0: 5 }),
    },
    cka_scores: {
      layer_0: { logit: cka(teacher.states[0]!, logit.states[0]!) },
      layer_1: { logit: cka(teacher.states[1]!, logit.states[1]!) },
    },
    effective_ranks: {
      layer_0: {
        teacher: computeEffectiveRanks(teacher.states[0]!).asPublished,
        logit: computeEffectiveRanks(logit.states[0]!).asPublished,
      },
      layer_1: expect.objectContaining({ logit: expect.any(Number) }),
    },
    attention_entropies: {
      layer_0: { teacher: attentionEntropy(pattern).mean, logit: attentionEntropy(pattern).mean },
      layer_1: expect.anything(),
    },
  });
});

it('the published layout has null where a student is less deep than its teacher', () => {
  // Catches: an analysis that fails for all of a seed's runs because one has fewer blocks.
  const shallow = { ...logit, states: logit.states.slice(0, 4), patterns: [pattern] };
  expect(asPublished(teacher, { shallow }, { layers: 'all' })).toMatchObject({
    cka_scores: { layer_3: { shallow: expect.any(Number) }, layer_4: { shallow: null } },
    effective_ranks: { layer_4: { teacher: expect.any(Number), shallow: null } },
    attention_entropies: { layer_1: { teacher: expect.any(Number), shallow: null } },
  });
});
