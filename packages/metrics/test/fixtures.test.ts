/**
 * Values computed elsewhere: `kind: metrics` safetensors and the similarity part of `statistics*.json`
 * in tests/fixtures and in every folder named in GROK_PARITY_FIXTURES.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostArray } from '@grok/core';
import { readSafetensors, type StoredArray } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import {
  attentionEntropy,
  cca,
  cka,
  computeEffectiveRanks,
  debiasedCka,
  gini,
  participation,
  procrustes,
  pwcca,
  rsa,
  singularValues,
  svcca,
  toMatrix,
} from '../src/index.js';

interface Similarity {
  readonly X: number[][];
  readonly Y: number[][];
  readonly svcca_variance: number;
  readonly svcca_kept: number[];
  readonly cca_rho: number[];
  readonly [name: string]: unknown;
}
interface Statistics {
  readonly similarity?: Similarity;
  readonly gini?: { readonly x: number[]; readonly value: number };
}

/** What is measured is stored in float32. */
const hostArray = ({ shape, data }: StoredArray): HostArray => ({
  shape,
  dtype: 'float32',
  data: Float32Array.from(data),
});
const near = (got: number, want: number) =>
  expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-6 * Math.abs(want));

const folders = [
  fileURLToPath(new URL('../../../tests/fixtures', import.meta.url)),
  ...(process.env.GROK_PARITY_FIXTURES ?? '').split(':').filter(Boolean),
];
const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
const tensorFiles = files
  .filter((file) => file.endsWith('.safetensors'))
  .map((file) => [file, readSafetensors(readFileSync(file), file)] as const)
  .filter(([, { metadata }]) => metadata.kind === '"metrics"');
const statistics = files
  .filter((file) => /^statistics.*\.json$/.test(basename(file)))
  .map((file) => [file, JSON.parse(readFileSync(file, 'utf8')) as Statistics] as const);
const similarities = statistics.flatMap(([file, { similarity }]) =>
  similarity === undefined ? [] : [[file, similarity] as const],
);
const ginis = statistics.flatMap(([file, { gini }]) =>
  gini === undefined ? [] : [[file, gini] as const],
);

it('the fixtures are there', () => {
  expect(tensorFiles.length).toBeGreaterThan(0);
  expect(similarities.length).toBeGreaterThan(0);
  expect(ginis.length).toBeGreaterThan(0);
});

describe.each(tensorFiles)('%s', (_, { tensors, metadata }) => {
  const arrays = new Map(Object.entries(tensors).map(([name, value]) => [name, hostArray(value)]));
  const compute = (key: string): number => {
    const [metric, names = ''] = key.split('/');
    const [first, second] = names.split(',').map((name) => arrays.get(name));
    if (first === undefined) throw new Error(`${key}: the file has no such tensors`);
    if (metric === 'entropy') return attentionEntropy(first).mean;
    if (metric === 'cka' && second !== undefined) return cka(first, second);
    return participation(singularValues(toMatrix(first)), Number(metadata.threshold));
  };
  const wanted = Object.entries(tensors).filter(([key]) => key.includes('/'));
  it.each(wanted)('%s within 1e-5', (key, { data: [want] }) => {
    expect(Math.abs(compute(key) - Number(want))).toBeLessThan(1e-5);
  });
});

describe.each(similarities)('%s', (_, similarity) => {
  const { X, Y } = similarity;
  const widths = [X, Y].map(([first = []]) => first.length);
  const ranks = computeEffectiveRanks(X);
  const values: Record<string, number> = {
    cka_linear_biased: cka(X, Y),
    cka_linear_debiased: debiasedCka(X, Y),
    cca_mean: cca(X, Y).reduce((a, b) => a + b) / Math.min(...widths),
    svcca_mean: svcca(X, Y, similarity.svcca_variance).mean,
    pwcca_X_to_Y: pwcca(X, Y),
    procrustes_squared_distance_unit_norm: procrustes(X, Y),
    rsa_spearman_1_minus_pearson: rsa(X, Y),
    rank_participation_singular_values_centred: ranks.participation,
    rank_participation_squared_centred: ranks.participationOfSquares,
    rank_roy_vetterli_centred: ranks.royVetterli,
    rank_entropy_of_squares_centred: ranks.entropyOfSquares,
    rank_as_published_uncentred_cut_1pct: ranks.asPublished,
  };
  it('lists nothing that is not compared', () => {
    const scalars = Object.keys(similarity).filter((k) => typeof similarity[k] === 'number');
    expect(scalars.filter((k) => k !== 'svcca_variance').sort()).toEqual(
      Object.keys(values).sort(),
    );
  });
  it.each(Object.entries(values))('%s within 1e-6 relative', (key, value) => {
    near(value, Number(similarity[key]));
  });
  it('canonical correlations and what SVCCA keeps', () => {
    const computed = cca(X, Y);
    for (const [i, rho] of similarity.cca_rho.entries()) near(Number(computed[i]), rho);
    expect(svcca(X, Y, similarity.svcca_variance).kept).toEqual(similarity.svcca_kept);
  });
});

it.each(ginis)('%s: Gini', (_, { x, value }) => {
  near(gini(x), value);
});
