import { readFileSync } from 'node:fs';
import { z } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import {
  type Duration,
  kaplanMeier,
  logRank,
  medianTime,
  pairedT,
  pseudoObservations,
  restrictedDifference,
  restrictedMeanInterval,
  wilson,
} from '../src/index.js';

const both = z.tuple([z.number(), z.number()]);
const times = z.array(z.tuple([z.number(), z.boolean()]));
/** lifelines 0.30, statsmodels 0.15, SciPy 1.17: survival.py beside the file. */
const fixtures = z
  .object({
    times: z.array(
      z.object({
        ...{ horizon: z.number(), a: times, b: times, median: z.number().nullable() },
        ...{ mean: z.number(), interval: both, difference: z.number(), differenceInterval: both },
        logRank: z.number(),
      }),
    ),
    shares: z.array(z.object({ k: z.number(), n: z.number(), interval: both })),
  })
  .parse(JSON.parse(readFileSync(new URL('fixtures/survival.json', import.meta.url), 'utf8')));
const durations = (all: z.infer<typeof times>): readonly Duration[] =>
  all.map(([time, observed]) => ({ time, observed }));
const close = (found: readonly number[] | null, expected: readonly number[]): void => {
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(found?.[i]).toBeCloseTo(value, 6);
  });
};

describe('restricted means', () => {
  it.each(fixtures.times)('agree with lifelines and SciPy (horizon $horizon)', (expected) => {
    const [a, b] = [durations(expected.a), durations(expected.b)];
    const mean = restrictedMeanInterval(a, expected.horizon);
    const { horizon } = expected;
    const clip = (bound: number, least: number): number =>
      Math.min(Math.max(bound, least), horizon);
    close(
      [mean.value, ...(mean.interval ?? [])],
      [expected.mean, ...expected.interval.map((bound) => clip(bound, 0))],
    );
    const difference = restrictedDifference(a, b, expected.horizon);
    close(
      [difference.value, ...(difference.interval ?? [])],
      [expected.difference, ...expected.differenceInterval.map((bound) => clip(bound, -horizon))],
    );
    expect(medianTime(kaplanMeier(a))).toBe(expected.median);
    expect(logRank(a, b).p).toBeCloseTo(expected.logRank, 9);
  });
  it('are those of the cut times where runs are censored at the horizon only', () => {
    const censored = [30, 70, 100, 100];
    const all = censored.map((time) => ({ time, observed: time < 100 }));
    close(pseudoObservations(all, 100), censored);
    const other = [40, 40, 60, 100];
    const found = restrictedDifference(
      all,
      other.map((time) => ({ time, observed: time < 100 })),
      100,
    );
    close(found.interval, pairedT(censored, other).interval ?? []);
  });
  it('never reach outside what a mean up to the horizon can be', () => {
    const at = (...times: number[]) => times.map((time) => ({ time, observed: time < 1000 }));
    const mean = restrictedMeanInterval(at(595, 1000, 1000), 1000);
    expect(mean.interval?.[1]).toBe(1000);
    expect(restrictedMeanInterval(at(5, 5, 400), 1000).interval?.[0]).toBe(0);
    const difference = restrictedDifference(at(900, 1000), at(5, 5), 1000);
    expect(difference.interval?.[1]).toBe(1000);
    expect(restrictedDifference(at(5, 5), at(900, 1000), 1000).interval?.[0]).toBe(-1000);
  });
  it('of one run have no interval, and of none no value', () => {
    const one = [{ time: 3, observed: true }];
    expect(restrictedMeanInterval(one, 9)).toEqual({ value: 3, interval: null });
    expect(restrictedDifference(one, one, 9)).toEqual({ value: 0, interval: null });
    expect(() => restrictedMeanInterval([], 9)).toThrow(/needs at least one run, got none/);
    expect(() => restrictedDifference(one, [], 9)).toThrow(/needs pairs, got 1 and 0 runs/);
  });
});

describe('wilson', () => {
  it.each(fixtures.shares)('$k of $n agrees with SciPy and statsmodels', ({ k, n, interval }) => {
    close(wilson(k, n), interval);
  });
  it('refuses what is no share', () => {
    expect(() => wilson(3, 2)).toThrow(/needs 0 to 2 successes, got 3/);
    expect(() => wilson(0, 0)).toThrow(/needs integers, got 0 of 0/);
  });
});
