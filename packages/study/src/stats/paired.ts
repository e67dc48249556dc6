/**
 * Compares two arms over the same seeds: paired t, exact Wilcoxon signed-rank, effect sizes.
 * Differences are a − b; values equal up to rounding are equal. Effect sizes follow Lakens 2013
 * (d_z, d_av, Hedges' correction) and Kerby 2014 (rank-biserial).
 */
import { InputError } from '@grok/core';
import { dropRounding, mergeTies, ranks } from '@grok/core/internal';
import { tCdf, tQuantile } from './distributions.js';
import { mean, sd } from './summary.js';

/** A two-sided paired t test, with an interval of the mean difference. */
export interface PairedT {
  readonly n: number;
  readonly difference: number;
  /** Null if all differences are equal, since the statistic is then undefined. */
  readonly t: number | null;
  readonly df: number;
  readonly p: number | null;
  readonly interval: readonly [number, number] | null;
}

/**
 * Tests whether paired differences have mean 0; `confidence` (default .95) is the level of the interval.
 * @throws InputError for fewer than two pairs.
 */
export function pairedT(a: readonly number[], b: readonly number[], confidence = 0.95): PairedT {
  const d = differences(a, b, 2);
  const df = d.length - 1;
  const center = mean(d);
  const error = sd(d) / Math.sqrt(d.length);
  const found = { n: d.length, difference: center, df };
  if (error === 0) return { ...found, t: null, p: null, interval: null };
  const t = center / error;
  const reach = tQuantile((1 + confidence) / 2, df) * error;
  const p = Math.min(1, 2 * tCdf(-Math.abs(t), df));
  return { ...found, t, p, interval: [center - reach, center + reach] };
}

/** Wilcoxon's signed-rank test; `w` is the smaller sum of ranks. */
export interface Wilcoxon {
  /** Number of pairs that differ; other pairs are dropped, as in Wilcoxon's method. */
  readonly n: number;
  readonly w: number;
  readonly plus: number;
  readonly minus: number;
  readonly p: number;
}

/**
 * Exact two-sided Wilcoxon signed-rank test over all 2ⁿ signs of the ranks 1 … n. Tied differences get their
 * mean rank, and a rank sum that is not an integer is rounded to the less extreme side, as in SciPy's
 * `method="exact"`: exact without ties, approximate with ties.
 * @throws InputError without a pair.
 */
export function wilcoxon(a: readonly number[], b: readonly number[]): Wilcoxon {
  const d = differences(a, b, 1).filter((value) => value !== 0);
  const n = d.length;
  const total = (n * (n + 1)) / 2;
  const rankByPair = ranks(d.map(Math.abs), { magnitude: largest(a, b) });
  const plus = rankByPair.reduce((sum, rank, i) => sum + (d[i]! > 0 ? rank : 0), 0);
  const w = Math.min(plus, total - plus);
  // Fraction of sign patterns by sum of positive ranks; counts would overflow for n > 1023.
  const shares = new Float64Array(total + 1);
  shares[0] = 1;
  for (let rank = 1; rank <= n; rank++)
    for (let sum = total; sum >= 0; sum--)
      shares[sum] = (shares[sum]! + (sum >= rank ? shares[sum - rank]! : 0)) / 2;
  const tail = shares.subarray(0, Math.ceil(w) + 1).reduce((sum, share) => sum + share, 0);
  return { n, w, plus, minus: total - plus, p: Math.min(1, 2 * tail) };
}

/** Effect sizes of paired data; null if the standard deviation is 0. */
export interface EffectSizes {
  /** Mean difference over the standard deviation of the differences. */
  readonly dz: number | null;
  /** Mean difference over the mean of both standard deviations. */
  readonly dav: number | null;
  /** 1 − 3 / (4·(n − 1) − 1): factor that corrects the small-sample bias of d. */
  readonly hedges: number;
  /** (Σ positive ranks − Σ negative ranks) / Σ ranks. */
  readonly rankBiserial: number | null;
}

/** Effect sizes of a − b over pairs. @throws InputError for fewer than two pairs. */
export function effectSizes(a: readonly number[], b: readonly number[]): EffectSizes {
  const d = differences(a, b, 2);
  const { plus, minus } = wilcoxon(a, b);
  const over = (spread: number): number | null => (spread > 0 ? mean(d) / spread : null);
  return {
    dz: over(sd(d)),
    dav: over((sd(a) + sd(b)) / 2),
    hedges: hedgesCorrection(d.length - 1),
    rankBiserial: plus + minus > 0 ? (plus - minus) / (plus + minus) : null,
  };
}

/** Hedges' correction of a standardized difference with `df` degrees of freedom. */
export function hedgesCorrection(df: number): number {
  return 1 - 3 / (4 * df - 1);
}

function differences(a: readonly number[], b: readonly number[], least: number): number[] {
  if (a.length !== b.length || a.length < least)
    throw new InputError(
      `paired samples: both arms need the same number of values, at least ${least}, got ${a.length} and ${b.length}`,
    );
  const magnitude = largest(a, b);
  const each = a.map((value, i) => dropRounding(value - (b[i] ?? Number.NaN), magnitude));
  return Array.from(mergeTies(each, { magnitude }));
}

function largest(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map(Math.abs), ...b.map(Math.abs));
}
