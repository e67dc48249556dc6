/** Clusters, layouts, alignment and flow as scikit-learn, SciPy and NetworkX compute them (tests/fixtures/measures/make.py). */
import { readFileSync } from 'node:fs';
import { rng } from '@grok/core';
import { expect, it } from 'vitest';
import {
  alignProcrustes,
  associate,
  attentionFlow,
  computeTsne,
  kMeans,
  silhouette,
  trustworthiness,
} from '../src/index.js';
import { host } from './draws.js';

interface Fixture {
  readonly clusters: {
    readonly x: number[][];
    readonly k: number;
    readonly inertia: number;
    readonly labels: number[];
    readonly silhouette: number;
    readonly other: number[];
    readonly adjusted_rand: number;
    readonly mutual_information: number;
  };
  readonly tsne: readonly {
    readonly x: number[][];
    readonly perplexity: number;
    readonly divergence: number;
    readonly start: number;
    readonly points: number[][];
    readonly trustworthiness: number;
  }[];
  readonly alignment: {
    readonly x: number[][];
    readonly y: number[][];
    readonly rotation: number[][];
    readonly distance: number;
  };
  readonly attention: {
    readonly shape: number[];
    readonly patterns: number[][];
    readonly rollout: number[];
    readonly flow: number[];
  };
}
const url = new URL('../../../tests/fixtures/measures/measures.json', import.meta.url);
const fixture = JSON.parse(readFileSync(url, 'utf8')) as Fixture;
const near = (got: readonly number[], want: readonly number[]) => {
  expect(got).toHaveLength(want.length);
  for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(value, 6);
};

it('k-means has scikit-learn’s least inertia; silhouette, adjusted Rand index and mutual information its values', () => {
  // Catches: starts that are not spread, distances squared or not, pairs counted twice.
  const { x, k, inertia, labels, other, ...wanted } = fixture.clusters;
  const found = kMeans(x, k, { rng: rng(0), starts: 50 });
  expect(found.inertia).toBeCloseTo(inertia, 6);
  near([silhouette(x, labels), found.silhouette], [wanted.silhouette, wanted.silhouette]);
  const { adjustedRand, mutualInformation } = associate(labels, other, { rng: rng(0) });
  near([adjustedRand, mutualInformation], [wanted.adjusted_rand, wanted.mutual_information]);
  expect(associate(found.labels, labels, { rng: rng(0) }).adjustedRand).toBe(1);
});

it.each(fixture.tsne)(
  'exact t-SNE is at most 2 % above the least divergence of scikit-learn’s five starts ($perplexity neighbors)',
  (wanted) => {
    const { divergence, points } = computeTsne(wanted.x, { perplexity: wanted.perplexity });
    expect(divergence / wanted.divergence).toBeLessThan(1.02);
    const start = computeTsne(wanted.x, { perplexity: wanted.perplexity, rounds: 0 });
    expect(start.divergence / wanted.start).toBeCloseTo(1, 4);
    expect(trustworthiness(wanted.x, wanted.points, 5)).toBeCloseTo(wanted.trustworthiness, 4); // Ties.
    expect(trustworthiness(wanted.x, points, 5)).toBeGreaterThan(wanted.trustworthiness - 0.01);
  },
  180_000,
);

it('alignment has SciPy’s rotation, and its distance is that of the aligned rows', () => {
  const { x, y, rotation, distance } = fixture.alignment;
  const found = alignProcrustes(x, y);
  near(found.rotation.flat(), rotation.flat());
  expect(found.distance).toBeCloseTo(distance, 9);
  const apart = found.aligned.flat().map((v, i) => (v - (found.target.flat()[i] ?? 0)) ** 2);
  expect(apart.reduce((sum, v) => sum + v, 0)).toBeCloseTo(distance, 9);
});

it('attention rollout is NumPy’s product, and flow NetworkX’s largest flow', () => {
  // Catches: heads added in place of averaged, layers in the reverse order, a path used twice.
  const { shape, patterns, rollout, flow } = fixture.attention;
  const found = attentionFlow(patterns.map((values) => host(shape, values)));
  near(found.rollout, rollout);
  near(found.flow, flow);
});
