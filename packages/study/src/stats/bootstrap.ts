/** Bias-corrected and accelerated bootstrap intervals (Efron 1987), seeded: the same sample gives the same interval. */
import { InputError, rng } from '@grok/core';
import { dropRounding, isConstant } from '@grok/core/internal';
import { normalCdf, normalQuantile } from './distributions.js';
import { mean } from './summary.js';

/** Options of a bootstrap interval. */
export interface BootstrapOptions {
  /** Default 0.95. */
  readonly confidence?: number;
  /** Number of resamples (default 10,000). */
  readonly resamples?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * BCa bootstrap interval of a statistic of one sample (default: the mean). If the sample has no spread, both
 * ends are the statistic; null for fewer than two values.
 */
export function bootstrapInterval(
  values: readonly number[],
  statistic: (sample: readonly number[]) => number = mean,
  { confidence = 0.95, resamples = 10_000, seed = 0 }: BootstrapOptions = {},
): readonly [number, number] | null {
  if (!(confidence > 0 && confidence < 1))
    throw new InputError(`bootstrap: the confidence must be in (0, 1), got ${confidence}`);
  const n = values.length;
  if (n < 2) return null;
  const found = statistic(values);
  const uniform = rng(seed)
    .split('bootstrap')
    .uniform(resamples * n);
  const draws = new Float64Array(resamples);
  const sample = new Array<number>(n);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < n; i++) sample[i] = values[Math.floor(uniform[r * n + i]! * n)]!;
    draws[r] = statistic(sample);
  }
  draws.sort();
  // Resamples equal to the statistic count as half below it; with few seeds there are many.
  const largest = Math.max(Math.abs(draws[0] ?? 0), Math.abs(draws.at(-1) ?? 0));
  const below = draws.reduce(
    (sum, draw) => sum + (1 - Math.sign(dropRounding(draw - found, largest))) / 2,
    0,
  );
  const share = Math.min(1 - 0.5 / resamples, Math.max(0.5 / resamples, below / resamples));
  const bias = normalQuantile(share);
  const acceleration = estimateAcceleration(values, statistic);
  const bound = (p: number): number => {
    const z = bias + normalQuantile(p);
    return interpolateQuantile(draws, normalCdf(bias + z / (1 - acceleration * z)));
  };
  return [bound((1 - confidence) / 2), bound((1 + confidence) / 2)];
}

/** Estimated from the statistic with each value left out in turn. */
function estimateAcceleration(
  values: readonly number[],
  statistic: (sample: readonly number[]) => number,
): number {
  const left = values.map((_, i) => statistic(values.filter((_value, j) => j !== i)));
  if (isConstant(left)) return 0;
  const centre = mean(left);
  const cubes = left.reduce((sum, value) => sum + (centre - value) ** 3, 0);
  const squares = left.reduce((sum, value) => sum + (centre - value) ** 2, 0);
  return cubes / (6 * squares ** 1.5);
}

/** Quantile of sorted values by linear interpolation (Hyndman & Fan's type 7). */
function interpolateQuantile(sorted: Float64Array, q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
}
