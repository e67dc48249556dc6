/**
 * Confidence intervals of restricted means by pseudo-observations (Andersen, Hansen and Klein 2004,
 * Lifetime Data Analysis 10, 335–350). If runs are censored only at the horizon, these are the
 * times cut at the horizon, and the intervals are those of Student's t. Intervals are clipped to
 * the possible range of a restricted mean, which does not reduce coverage, since the true mean is
 * always inside.
 */
import { InputError } from '@grok/core';
import { tQuantile } from './distributions.js';
import { pairedT } from './paired.js';
import { mean, sd } from './summary.js';
import { type Duration, kaplanMeier, restrictedMean } from './survival.js';

/** A mean or a difference of means, in the unit of the times; the interval is null for fewer than two runs. */
export interface RestrictedEstimate {
  readonly value: number;
  readonly interval: readonly [number, number] | null;
}

/** Pseudo-observations of the restricted mean: n θ − (n − 1) θ without that run. */
export function pseudoObservations(
  durations: readonly Duration[],
  horizon: number,
): readonly number[] {
  const n = durations.length;
  const restrictedMeanAt = (some: readonly Duration[]): number =>
    restrictedMean(kaplanMeier(some), horizon);
  const whole = restrictedMeanAt(durations);
  if (n < 2) return durations.map(() => whole);
  return durations.map(
    (_, i) => n * whole - (n - 1) * restrictedMeanAt(durations.filter((_d, j) => j !== i)),
  );
}

/**
 * Restricted mean up to `horizon` with its interval (`confidence` default .95).
 * @throws InputError without a run.
 */
export function restrictedMeanInterval(
  durations: readonly Duration[],
  horizon: number,
  confidence = 0.95,
): RestrictedEstimate {
  const n = durations.length;
  if (n === 0) throw new InputError('restricted mean: needs at least one run, got none');
  const value = restrictedMean(kaplanMeier(durations), horizon);
  if (n < 2) return { value, interval: null };
  const pseudo = pseudoObservations(durations, horizon);
  const reach = (tQuantile((1 + confidence) / 2, n - 1) * sd(pseudo)) / Math.sqrt(n);
  const center = mean(pseudo);
  return { value, interval: clip([center - reach, center + reach], 0, horizon) };
}

/**
 * Difference of restricted means over the same seeds, first − second.
 * @throws InputError on unequal lengths and without a pair.
 */
export function restrictedDifference(
  first: readonly Duration[],
  second: readonly Duration[],
  horizon: number,
): RestrictedEstimate {
  if (first.length !== second.length || first.length === 0)
    throw new InputError(
      `difference of restricted means: needs pairs, got ${first.length} and ${second.length} runs`,
    );
  const restrictedMeanAt = (some: readonly Duration[]): number =>
    restrictedMean(kaplanMeier(some), horizon);
  const value = restrictedMeanAt(first) - restrictedMeanAt(second);
  if (first.length < 2) return { value, interval: null };
  const [a, b] = [pseudoObservations(first, horizon), pseudoObservations(second, horizon)];
  const { difference, interval } = pairedT(a, b);
  return { value, interval: clip(interval ?? [difference, difference], -horizon, horizon) };
}

const clip = (
  [from, to]: readonly [number, number],
  least: number,
  most: number,
): readonly [number, number] => [Math.max(from, least), Math.min(to, most)];
