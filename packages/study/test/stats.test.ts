/** Statistics beyond the fixtures: published values, limits, and constant samples. */
import { describe, expect, it } from 'vitest';
import {
  bootstrapInterval,
  chiSquareTail,
  effectSizes,
  holm,
  kaplanMeier,
  logRank,
  medianTime,
  noncentralTCdf,
  normalCdf,
  normalQuantile,
  pairedT,
  power,
  restrictedMean,
  seedsNeeded,
  summary,
  survivalAt,
  tCdf,
  tQuantile,
  wilcoxon,
} from '../src/index.js';

const near = (got: number, want: number, relative = 1e-12): void =>
  expect(Math.abs(got - want)).toBeLessThanOrEqual(relative * Math.abs(want));

describe('distributions', () => {
  // Catches: a truncated series, a tail computed as 1 − (almost 1). Expected values are closed
  // forms and from R.
  it('normal', () => {
    near(normalCdf(-1.959963984540054), 0.025);
    near(normalCdf(-10), 7.61985302416052e-24, 1e-11);
    near(normalQuantile(0.975), 1.959963984540054);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 15);
  });
  it('t with 1 and 2 degrees of freedom has closed forms', () => {
    for (const t of [-30, -2, -0.1, 0, 0.7, 5]) {
      near(tCdf(t, 1), 0.5 + Math.atan(t) / Math.PI, 1e-11);
      near(tCdf(t, 2), 0.5 + t / (2 * Math.sqrt(2 + t * t)), 1e-10);
    }
    near(tQuantile(0.975, 9), 2.2621571627982044, 1e-12);
  });
  it('χ² with 2 degrees of freedom is exponential', () => {
    for (const x of [0.01, 1, 3, 30, 200]) near(chiSquareTail(x, 2), Math.exp(-x / 2), 1e-11);
    near(chiSquareTail(3.841458820694124, 1), 0.05);
  });
  it('noncentral t is the central one for noncentrality 0, and Φ(−δ) at 0', () => {
    for (const t of [-3, -0.5, 0.5, 3]) near(noncentralTCdf(t, 7, 0), tCdf(t, 7), 1e-12);
    near(noncentralTCdf(0, 7, 1.3), normalCdf(-1.3));
    near(noncentralTCdf(2, 9, 3) + noncentralTCdf(-2, 9, -3), 1);
  });
});

describe('paired tests', () => {
  const a = [125, 115, 130, 140, 140, 115, 140, 125, 140, 135];
  const b = [110, 122, 125, 120, 140, 124, 123, 137, 135, 145];
  it('match a worked example with a zero and ties', () => {
    // Catches: zeros kept; ties ranked in input order. (Wikipedia's example: W = 18, n = 9.)
    expect(wilcoxon(a, b)).toMatchObject({ n: 9, w: 18, plus: 27, minus: 18 });
    near(wilcoxon(a, b).p, 0.65234375);
  });
  it('change sign with the order of the arms, with the same p', () => {
    expect(pairedT(b, a).t).toBeCloseTo(-pairedT(a, b).t!, 12);
    expect(wilcoxon(b, a).p).toBe(wilcoxon(a, b).p);
    expect(effectSizes(b, a).rankBiserial).toBe(-effectSizes(a, b).rankBiserial!);
  });
  it('are null for equal samples (catches: NaN, which JSON turns into null; a p-value from 0/0)', () => {
    expect(pairedT([1, 2, 3], [1, 2, 3])).toMatchObject({ difference: 0, t: null, p: null });
    expect(wilcoxon([1, 2], [1, 2])).toMatchObject({ n: 0, p: 1 });
    expect(effectSizes([1, 1], [0, 0])).toMatchObject({ dz: null, dav: null, rankBiserial: 1 });
  });
  it('refuse arms of different lengths', () => {
    expect(() => pairedT([1, 2], [1])).toThrow('both arms need the same number of values');
  });
});

it('Holm keeps the input order and is monotonic', () => {
  // Catches: adjusted values returned sorted.
  expect(holm([0.04, 0.01, 0.03])).toEqual([0.06, 0.03, 0.06]);
  expect(holm([])).toEqual([]);
});

describe('power', () => {
  it('equals the level without an effect, and grows to 1', () => {
    near(power(0, 10, 0.05), 0.05, 1e-11);
    expect(power(3, 20)).toBeGreaterThan(1 - 1e-12);
    expect(power(0.9, 10)).toBeCloseTo(0.7172, 4);
  });
  it('is reached at the required number of seeds, but not with one less', () => {
    // Catches, at 0.0099: null although 80,000 pairs suffice, more than the last power of two below
    // 100,000.
    for (const d of [0.0099, 0.3, 0.9, 2.5]) {
      const n = seedsNeeded(d)!;
      expect(power(d, n)).toBeGreaterThanOrEqual(0.8);
      if (n > 2) expect(power(d, n - 1)).toBeLessThan(0.8);
    }
    expect(seedsNeeded(0)).toBeNull();
  });
});

describe('time to grok', () => {
  const watched = (...times: (number | string)[]) =>
    times.map((t) => ({ time: Number.parseInt(String(t), 10), observed: typeof t === 'number' }));
  it('counts a run that never groks as censored, not as missing', () => {
    // Catches: censored runs dropped (median 20, mean 20) or counted as grokked at the horizon.
    const curve = kaplanMeier(watched(10, 20, 30, '100+', '100+', '100+'));
    expect(medianTime(curve)).toBe(30);
    expect(survivalAt(curve, 99)).toBeCloseTo(0.5, 12);
    expect(restrictedMean(curve, 100)).toBeCloseTo(60, 12);
    expect(medianTime(kaplanMeier(watched(10, '100+', '100+')))).toBeNull();
  });
  it('removes a censored run from those at risk', () => {
    expect(survivalAt(kaplanMeier(watched(1, '2+', 3, 4)), 3)).toBeCloseTo(0.75 * 0.5, 12);
  });
  it('log-rank finds nothing between equal groups, and is null without events', () => {
    expect(logRank(watched(1, 2), watched(1, 2))).toEqual({ chiSquare: 0, p: 1 });
    expect(logRank(watched('9+'), watched('9+'))).toEqual({ chiSquare: null, p: null });
  });
});

describe('bootstrap', () => {
  it('is reproducible for a seed, and differs between seeds', () => {
    const sample = [1.37, 5.21, 2.93, 8.11, 3.59];
    const of = (seed: number) => bootstrapInterval(sample, undefined, { seed, resamples: 300 });
    expect(of(0)).toEqual(of(0));
    expect(of(1)).not.toEqual(of(0));
  });
  it('matches Efron’s example', () => {
    // Efron & Tibshirani 1993, ch. 14: spatial data, variance with denominator n, 90 %: (115.8,
    // 259.6) at B = 2000.
    const a = [
      48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26,
      30, 41,
    ];
    const variance = (x: readonly number[]): number => {
      const m = x.reduce((s, v) => s + v, 0) / x.length;
      return x.reduce((s, v) => s + (v - m) ** 2, 0) / x.length;
    };
    const [low, high] = bootstrapInterval(a, variance, { confidence: 0.9 })!;
    expect(low).toBeGreaterThan(110);
    expect(low).toBeLessThan(121);
    expect(high).toBeGreaterThan(250);
    expect(high).toBeLessThan(270);
  });
  it('is a point for a constant sample, and null below two values', () => {
    expect(bootstrapInterval([2, 2, 2])).toEqual([2, 2]);
    expect(bootstrapInterval([2])).toBeNull();
  });
});

it('summarizes samples of any size', () => {
  expect(summary([])).toEqual({ n: 0, mean: null, sd: null, median: null });
  expect(summary([3])).toEqual({ n: 1, mean: 3, sd: null, median: 3 });
});
