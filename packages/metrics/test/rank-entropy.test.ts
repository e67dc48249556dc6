/** Effective ranks and attention entropy on cases whose answers are known. */
import { Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import {
  attentionEntropy,
  computeEffectiveRanks,
  participation,
  singularValues,
} from '../src/index.js';

import { gaussian, host, rotation } from './draws.js';

describe('effective ranks', () => {
  it('k equal directions have rank k, by every name, however they are turned', () => {
    const flat = Matrix.zeros(12, 5);
    for (let i = 0; i < 12; i++) flat.set(i, i % 3, i < 6 ? 1 : -1);
    for (const x of [flat, flat.mmul(rotation('rank', 5)), flat.transpose()])
      for (const rank of Object.values(computeEffectiveRanks(x, { centered: false })))
        expect(rank).toBeCloseTo(3, 9);
  });
  it('follow their formulas for singular values 4, 2, 1', () => {
    const x = Matrix.zeros(6, 3);
    [4, 2, 1].forEach((s, i) => {
      x.set(i, i, s / Math.SQRT2);
      x.set(i + 3, i, -s / Math.SQRT2);
    });
    const r = computeEffectiveRanks(x);
    expect(r.participation).toBeCloseTo(49 / 21, 12);
    expect(r.participationOfSquares).toBeCloseTo(21 ** 2 / (256 + 16 + 1), 12);
    const h = (p: number[]) => -p.reduce((sum, v) => sum + v * Math.log(v), 0);
    expect(r.royVetterli).toBeCloseTo(Math.exp(h([4 / 7, 2 / 7, 1 / 7])), 12);
    expect(r.entropyOfSquares).toBeCloseTo(Math.exp(h([16 / 21, 4 / 21, 1 / 21])), 12);
    expect(r.asPublished).toBeCloseTo(49 / 21, 12);
  });
  it('a common offset is a direction only for asPublished', () => {
    const x = gaussian('offset', 100, 4);
    const moved = x.clone().addRowVector([50, 50, 50, 50]);
    expect(computeEffectiveRanks(moved).participation).toBeCloseTo(
      computeEffectiveRanks(x).participation,
      9,
    );
    expect(computeEffectiveRanks(moved).asPublished).toBeLessThan(1.5);
    expect(computeEffectiveRanks(x).asPublished).toBeGreaterThan(3.5);
  });
  it('the cut drops what is at most 1 % of the largest', () => {
    expect(participation([100, 1, 1.5], 0.01)).toBeCloseTo(101.5 ** 2 / (100 ** 2 + 1.5 ** 2), 12);
  });
  it('of a constant are NaN once centered (a rank of 1 says that it has a direction)', () => {
    const { asPublished, ...centered } = computeEffectiveRanks(Matrix.ones(8, 3));
    for (const rank of Object.values(centered)) expect(rank).toBeNaN();
    expect(asPublished).toBeCloseTo(1, 12);
  });
  it('flatten the leading axes of a host array', () => {
    const x = gaussian('flat', 24, 4);
    const r = computeEffectiveRanks(host([6, 4, 4], x.to1DArray()));
    expect(r.royVetterli).toBeCloseTo(computeEffectiveRanks(x).royVetterli, 6);
  });
  it('tall matrices take the way over R, and give the same values', () => {
    const x = gaussian('tall', 50, 4);
    const short = singularValues(x.transpose().mmul(x)).map(Math.sqrt);
    for (const [i, s] of singularValues(x).entries()) expect(s).toBeCloseTo(short[i]!, 10);
  });
});

describe('attention entropy', () => {
  const uniform = (q: number) => [0, 1, 2, 3].map((k) => (k <= q ? 1 / (q + 1) : 0));
  const onSelf = (q: number) => [0, 1, 2, 3].map((k) => Number(k === q));
  const pattern = host(
    [2, 2, 4, 4],
    [0, 1].flatMap(() => [[0, 1, 2, 3].flatMap(uniform), [0, 1, 2, 3].flatMap(onSelf)].flat()),
  );
  it('tells heads and positions apart, in nats, with 0 log 0 = 0', () => {
    const { mean, heads, positions } = attentionEntropy(pattern);
    [1, 2, 3, 4].forEach((n, q) => {
      expect(positions[0]?.[q]).toBeCloseTo(Math.log(n), 6);
    });
    expect(positions[1]).toEqual([0, 0, 0, 0]);
    expect(heads[0]).toBeCloseTo(Math.log(24) / 4, 6);
    expect(heads[1]).toBe(0);
    expect(mean).toBeCloseTo(Math.log(24) / 8, 6);
  });
  it('of what is no number is NaN (0 says that a head looks at one position)', () => {
    const broken = host([1, 1, 1, 2], [Number.NaN, 1]);
    expect(attentionEntropy(broken).mean).toBeNaN();
  });
  it('refuses what is no pattern', () => {
    expect(() => attentionEntropy(host([2, 2], [1, 0, 0, 1]))).toThrow('[batch, head, query, key]');
  });
});
