import { readFileSync } from 'node:fs';
import { z } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import {
  type Duration,
  kaplanMeier,
  logRank,
  pairedPrenticeWilcoxon,
  prenticeScores,
  restrictedMean,
} from '../src/index.js';

const pair = z.tuple([z.number(), z.boolean()]);
/** Random durations, with results from SciPy 1.17 (scores by hand, exact `permutation_test`) and lifelines 0.30. */
const fixtures = z
  .array(
    z.object({
      ...{ horizon: z.number(), a: z.array(pair), b: z.array(pair), z: z.number(), p: z.number() },
      ...{ rm: z.tuple([z.number(), z.number()]), lr: z.number() },
    }),
  )
  .parse(
    JSON.parse(readFileSync(new URL('fixtures/paired-censored.json', import.meta.url), 'utf8')),
  );
const durations = (all: readonly (readonly [number, boolean])[]): readonly Duration[] =>
  all.map(([time, observed]) => ({ time, observed }));

describe('pairedPrenticeWilcoxon', () => {
  it.each(fixtures)('agrees with SciPy and lifelines (horizon $horizon)', (expected) => {
    const [a, b] = [durations(expected.a), durations(expected.b)];
    const found = pairedPrenticeWilcoxon(a, b);
    expect(found.z).toBeCloseTo(expected.z, 12);
    expect(found.p).toBeCloseTo(expected.p, 12);
    expect(restrictedMean(kaplanMeier(a), expected.horizon)).toBeCloseTo(expected.rm[0], 9);
    expect(restrictedMean(kaplanMeier(b), expected.horizon)).toBeCloseTo(expected.rm[1], 9);
    expect(logRank(a, b).p).toBeCloseTo(expected.lr, 9);
  });
  it('changes sign with the order of the arms, and is independent of the unit', () => {
    const [one] = fixtures;
    const [a, b] = [durations(one?.a ?? []), durations(one?.b ?? [])];
    const forth = pairedPrenticeWilcoxon(a, b);
    const back = pairedPrenticeWilcoxon(b, a);
    expect(back.z).toBeCloseTo(-(forth.z ?? Number.NaN), 12);
    const tripled = [a, b].map((all) => all.map((it) => ({ ...it, time: it.time / 3 })));
    expect(pairedPrenticeWilcoxon(tripled[0] ?? [], tripled[1] ?? [])).toEqual(forth);
  });
  it('has p = 1 for equal pairs, and the smallest p when one arm always comes first', () => {
    const early = durations([10, 20, 30, 40].map((time) => [time, true]));
    const never = durations([100, 100, 100, 100].map((time) => [time, false]));
    expect(pairedPrenticeWilcoxon(early, early)).toEqual({ n: 4, z: null, p: 1 });
    // Two of the 16 exchanges are as extreme: this one and its opposite.
    expect(pairedPrenticeWilcoxon(early, never).p).toBe(2 / 16);
  });
  it('has the scores 1 − 2 S at an event and 1 − S where censored (Prentice 1978)', () => {
    const scores = prenticeScores(
      durations([
        [1, true],
        [2, false],
        [3, true],
      ]),
    );
    // S is 3/4 after the first event, times 1/2 at the third time, where one run is left.
    [1 - 2 * 0.75, 1 - 0.75, 1 - 2 * 0.375].forEach((expected, i) => {
      expect(scores[i]).toBeCloseTo(expected, 15);
    });
  });
  it('refuses samples without pairs', () => {
    expect(() => pairedPrenticeWilcoxon([], [])).toThrow(/needs 1 to 20 pairs, got 0 and 0/);
  });
});
