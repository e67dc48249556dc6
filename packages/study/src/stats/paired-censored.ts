/**
 * Compares two arms over the same seeds when some runs never grok: the paired Prentice–Wilcoxon
 * test (O'Brien & Fleming 1987, Biometrics 43, 169–180) with its exact distribution. Scores are
 * computed over the pooled runs (Prentice 1978).
 */
import { InputError } from '@grok/core';
import { difference, mergeTies } from '@grok/core/internal';
import type { Duration } from './survival.js';

/** Above this number of pairs, there are too many exchanges to enumerate. */
const MOST_PAIRS = 20;

/** A two-sided test of paired, censored times. */
export interface PairedPrenticeWilcoxon {
  readonly n: number;
  /**
   * Sum of the score differences, first − second, over its standard error; negative if the first are earlier,
   * null if all are equal.
   */
  readonly z: number | null;
  /** Exact p-value: share of all permutations within pairs whose sum is at least as far from 0. */
  readonly p: number;
}

/**
 * Tests whether runs of the same seeds differ in time, first − second, with the exact permutation distribution
 * within pairs.
 * @throws InputError on unequal lengths, without a pair, or with more than 20 pairs.
 */
export function pairedPrenticeWilcoxon(
  first: readonly Duration[],
  second: readonly Duration[],
): PairedPrenticeWilcoxon {
  const n = first.length;
  if (n !== second.length || n === 0 || n > MOST_PAIRS)
    throw new InputError(
      `paired Prentice–Wilcoxon: needs 1 to ${MOST_PAIRS} pairs, got ${n} and ${second.length} runs`,
    );
  const scores = prenticeScores([...first, ...second]);
  const d = Array.from({ length: n }, (_, i) => (scores[i] ?? 0) - (scores[n + i] ?? 0));
  const sum = d.reduce((total, value) => total + value, 0);
  const error = Math.sqrt(d.reduce((total, value) => total + value ** 2, 0));
  const z = error === 0 ? null : sum / error;
  let asFar = 0;
  for (let signs = 0; signs < 2 ** n; signs++) {
    const exchanged = d.reduce((total, value, i) => total + ((signs >> i) & 1 ? -value : value), 0);
    // Sums of the same terms in another order differ by rounding.
    if (Math.abs(exchanged) >= Math.abs(sum) - 1e-12 * n) asFar++;
  }
  return { n, z, p: asFar / 2 ** n };
}

/**
 * Prentice's scores for the Wilcoxon test, from −1 (the earliest event) to 1: 1 − 2 S for an event and 1 − S
 * for a censored run, with S = Π (atRisk + 1 − events) / (atRisk + 1) over the events so far.
 */
export function prenticeScores(durations: readonly Duration[]): readonly number[] {
  const times = mergeTies(durations.map(({ time }) => time));
  const all = durations.map(({ observed }, i) => ({ observed, time: times[i] ?? Number.NaN }));
  const events = all.filter(({ observed }) => observed).map(({ time }) => time);
  const survivalAfter = (time: number): number =>
    [...new Set(events)]
      .filter((event) => difference(event, time) <= 0)
      .reduce((survival, event) => {
        const atRisk = all.filter((other) => other.time >= event).length;
        const together = events.filter((other) => other === event).length;
        return (survival * (atRisk + 1 - together)) / (atRisk + 1);
      }, 1);
  return all.map(({ time, observed }) => 1 - (observed ? 2 : 1) * survivalAfter(time));
}
