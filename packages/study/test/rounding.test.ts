/** Ties and zero variance up to rounding: samples of counts divided by a constant must give the results of the counts. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bootstrapInterval,
  type Duration,
  effectSizes,
  kaplanMeier,
  logRank,
  medianTime,
  pairedT,
  sd,
  survivalAt,
  wilcoxon,
} from '../src/index.js';

interface Pair {
  readonly of: number;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly w: number;
  readonly p_wilcoxon_exact: number;
  readonly t: number;
  readonly p_t: number;
}
interface Survival {
  readonly of: number;
  readonly groups: readonly {
    readonly times: readonly number[];
    readonly observed: readonly boolean[];
  }[];
  readonly chi2: number;
  readonly p: number;
  readonly curve: readonly (readonly [number, number])[];
}
const fixtures: { readonly paired: readonly Pair[]; readonly survival: readonly Survival[] } =
  JSON.parse(
    readFileSync(
      new URL('../../../tests/rounding/fixtures/rounding.json', import.meta.url),
      'utf8',
    ),
  );
const shares = (counts: readonly number[], of: number): number[] => counts.map((n) => n / of);

describe.each(fixtures.paired.map((pair, i) => [i, pair] as const))('pairs %i', (_, pair) => {
  const [a, b] = [shares(pair.a, pair.of), shares(pair.b, pair.of)];
  it('match SciPy’s W and p for the counts', () => {
    expect(wilcoxon(a, b).w).toBe(pair.w);
    expect(wilcoxon(a, b).p).toBeCloseTo(pair.p_wilcoxon_exact, 12);
    expect(wilcoxon(a, b)).toEqual(wilcoxon(pair.a, pair.b));
  });
  it('match SciPy’s t', () => {
    expect(pairedT(a, b).t).toBeCloseTo(pair.t, 9);
    expect(pairedT(a, b).p).toBeCloseTo(pair.p_t, 9);
  });
});

it('have no t, p or d for equal differences (catches: t 1.3e15, p 6e−31)', () => {
  const [a, b] = [shares([21, 20, 19], 21), shares([20, 19, 18], 21)];
  expect(pairedT(a, b)).toMatchObject({ t: null, p: null, interval: null });
  expect(pairedT(a, b).difference).toBeCloseTo(1 / 21, 12);
  expect(effectSizes(a, b)).toMatchObject({ dz: null, rankBiserial: 1 });
  expect(effectSizes([0.1, 0.1, 0.1], [0.7, 0.7, 0.7])).toMatchObject({ dz: null, dav: null });
  expect(sd([0.1, 0.1, 0.1])).toBe(0);
});

it('a difference within rounding is zero', () => {
  expect(wilcoxon([0.1 + 0.2, 1], [0.3, 0.5])).toMatchObject({ n: 1, w: 0 });
  expect(pairedT([0.1 + 0.2, 0.7], [0.3, 0.7])).toMatchObject({ difference: 0, t: null });
});

it('a small difference is kept', () => {
  expect(pairedT([1 + 1e-9, 2 + 2e-9, 3], [1, 2, 3]).t).toBeCloseTo(Math.sqrt(3), 4);
  expect(wilcoxon([1e-5, 2e-5], [0, 0])).toMatchObject({ n: 2, plus: 3 });
});

describe.each(fixtures.survival.map((each) => [each.of, each] as const))(
  'times over %i',
  (of, { groups, chi2, p, curve }) => {
    // Summing 1/of k times differs from k/of in the last bits.
    const sum = (k: number): number =>
      Array.from({ length: k }).reduce<number>((s) => s + 1 / of, 0);
    const [a = [], b = []] = groups.map(({ times, observed }): Duration[] =>
      times.map((time, i) => ({
        time: i % 2 === 0 ? time / of : sum(time),
        observed: observed[i] ?? false,
      })),
    );
    it('match SciPy’s log-rank test', () => {
      expect(logRank(a, b).chiSquare).toBeCloseTo(chi2, 9);
      expect(logRank(a, b).p).toBeCloseTo(p, 9);
    });
    it('match SciPy’s curve, read at either form of a time', () => {
      expect(kaplanMeier(a)).toHaveLength(curve.length);
      for (const [time, survival] of curve)
        for (const at of [time / of, sum(time)])
          expect(survivalAt(kaplanMeier(a), at)).toBeCloseTo(survival, 12);
    });
  },
);

it('a median is where half are left up to rounding', () => {
  const times = [1, 2, 3, 4, 5, 6].map((time) => ({ time, observed: true }));
  expect(medianTime(kaplanMeier(times))).toBe(3);
});

it('bootstrap intervals do not depend on the unit', () => {
  // Resamples whose mean equals the sample's up to rounding count as half below it; of 21 values
  // they are many.
  for (const of of [21, 97]) {
    const counts = [18, 21, 15, 18, 15];
    const [low, high] = bootstrapInterval(counts, undefined, { resamples: 500 }) ?? [0, 0];
    const scaled = bootstrapInterval(shares(counts, of), undefined, { resamples: 500 });
    expect(scaled?.[0]).toBeCloseTo(low / of, 12);
    expect(scaled?.[1]).toBeCloseTo(high / of, 12);
  }
});
