/** Modes of attention: known ones found and matched, and tests that hold their level. */
import { type HostArray, rng } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { associate, attentionFlow, attentionModes, kMeans, matchModes } from '../src/index.js';
import { gaussian, host } from './draws.js';

const ROWS = 60;
const a = Int32Array.from({ length: ROWS }, (_, row) => row % 12);
const b = Int32Array.from({ length: ROWS }, (_, row) => Math.floor(row / 12));
/** Head 0 looks at the token that a modulo 3 says, head 1 at all alike; queries before the last at the first. */
const pattern = (shift = 0): HostArray => {
  const noise = gaussian('pattern', 1, ROWS * 32).to1DArray();
  const values = Array.from({ length: ROWS * 2 * 4 }, (_, i) => {
    const [row, head, query] = [Math.floor(i / 8), Math.floor(i / 4) % 2, i % 4];
    const seen = head === 0 ? ((a[row] ?? 0) + shift) % 3 : -1;
    const weights = [0, 1, 2, 3].map((key) => {
      if (query < 3) return key === 0 ? 1 : 0;
      return Math.exp((key === seen ? 3 : 0) + 0.1 * (noise[i * 4 + key] ?? 0));
    });
    const sum = weights.reduce((all, weight) => all + weight, 0);
    return weights.map((weight) => weight / sum);
  });
  return host([ROWS, 2, 4, 4], values.flat());
};
const groupings = { a, b };

describe('attention modes', () => {
  const [first, second] = attentionModes(pattern(), { rng: rng(1), groupings });
  it('are found, as many as there are, with their centroids and what they follow', () => {
    // Catches: another query’s patterns, heads mixed up, a number of modes that is the largest tried.
    expect(first).toMatchObject({ head: 0, sizes: [20, 20, 20], shape: [1, 4] });
    expect(first?.silhouette).toBeGreaterThan(0.9);
    expect(first?.centroids.map((c) => c.indexOf(Math.max(...c))).sort()).toEqual([0, 1, 2]);
    expect(first?.related.a?.mutualInformation).toBeCloseTo(Math.log(3), 9);
    expect(first?.related.a?.null.p).toBe(0.001);
    expect(first?.related.b?.null.p).toBeGreaterThan(0.05);
    // What has no modes is no better than its chance.
    expect(first?.silhouette).toBeGreaterThan((first?.chance ?? 1) + 0.3);
    expect(second?.silhouette).toBeLessThan((second?.chance ?? 0) + 0.1);
  });

  it('are matched between models, whatever their numbers and heads', () => {
    const swapped = attentionModes(pattern(1), { rng: rng(2), modes: 3 }).toReversed();
    const own = attentionModes(pattern(), { rng: rng(1), modes: 3 });
    const [match] = matchModes(own, swapped, { rng: rng(0), permutations: 199 });
    expect(match).toMatchObject({ heads: [0, 0], agreement: 1, null: { p: 0.005 } });
    expect(match?.null.agreement).toBeLessThan(0.6);
    const [alone] = matchModes(own, swapped.slice(1), { rng: rng(0), permutations: 19 });
    expect(alone?.heads).toEqual([0, 0]);
  });

  it('of all queries, or one, are what was asked for', () => {
    const [all] = attentionModes(pattern(), { rng: rng(1), modes: 2, query: 'all' });
    expect(all?.centroids[0]).toHaveLength(16);
    const [early] = attentionModes(pattern(), { rng: rng(1), modes: 2, query: 0 });
    expect(early?.sizes).toEqual([ROWS]); // One pattern is one mode.
  });

  it.each([
    [{ query: 4 }, 'query must be an integer from 0 to 3 (or −4 to −1), or "all", got 4'],
    [{ groupings: { a: [1] } }, 'grouping "a": 1 rows, the patterns have 60'],
    [{ modes: 61 }, 'k must be an integer from 1 to 60, the number of rows, got 61'],
  ])('name what does not fit', (options, message) => {
    expect(() => attentionModes(pattern(), { rng: rng(0), ...options })).toThrow(message);
  });
});

describe('of unrelated groupings 5 % are below .05', () => {
  const draw = (label: string): readonly number[] =>
    Array.from(rng(3).split(label).uniform(40), (u) => Math.floor(u * 3));
  const share = (
    test: (x: readonly number[], y: readonly number[], i: number) => number,
  ): number => {
    let count = 0;
    for (let i = 0; i < 1000; i++) if (test(draw(`x${i}`), draw(`y${i}`), i) <= 0.05) count++;
    return count / 1000;
  };
  it('by mutual information', () => {
    const level = share((x, y, i) => associate(x, y, { rng: rng(i), permutations: 39 }).null.p);
    expect(Math.abs(level - 0.05)).toBeLessThan(0.02);
  });
  it('by matched modes, also of the best of two heads', () => {
    const level = share((x, y, i) => {
      const others = [
        { head: 0, labels: y },
        { head: 1, labels: draw(`z${i}`) },
      ];
      const options = { rng: rng(i), permutations: 19 };
      return matchModes([{ head: 0, labels: x }], others, options)[0]?.null.p ?? 0;
    });
    expect(Math.abs(level - 0.05)).toBeLessThan(0.02);
  });
});

describe('k-means', () => {
  it('has no more clusters than there are different rows (catches: empty clusters, NaN centroids)', () => {
    const found = kMeans([[1], [1], [2], [2]], 4, { rng: rng(0) });
    expect(found).toMatchObject({ sizes: [2, 2], inertia: 0, silhouette: 1 });
  });
});

describe('attention flow', () => {
  const even = host([1, 1, 3, 3], [1, 0, 0, 1 / 2, 1 / 2, 0, 1 / 3, 1 / 3, 1 / 3]);
  it('of even attention is its own chance, edges from tokens to logits', () => {
    const found = attentionFlow([even, even]);
    for (const [token, value] of found.rollout.entries())
      expect(value).toBeCloseTo(found.uniform.rollout[token] ?? 0, 6);
    for (const [token, value] of found.flow.entries())
      expect(value).toBeCloseTo(found.uniform.flow[token] ?? 0, 6);
    expect(found.rollout.reduce((sum, v) => sum + v, 0)).toBeCloseTo(1, 6);
    expect(found.edges).toHaveLength(6 + 6 + 1);
    expect(found.edges.at(-1)).toEqual({ layer: 2, from: 2, to: 0, weight: 1 });
  });
  it('of a position that attends to itself alone comes from its token, and may be read as a mean', () => {
    const own = host([1, 1, 2, 2], [1, 0, 0, 1]);
    expect(attentionFlow([own])).toMatchObject({ rollout: [0, 1], flow: [0, 1] });
    expect(attentionFlow([own], 'mean')).toMatchObject({ rollout: [0.5, 0.5], flow: [0.5, 0.5] });
    expect(() => attentionFlow([own], 2)).toThrow('from 0 to 1 (or −2 to −1), or "mean", got 2');
  });
});
