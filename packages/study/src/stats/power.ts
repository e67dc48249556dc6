/** Power of the paired t test and the required number of seeds, from the noncentral t distribution. */
import { InputError } from '@grok/core';
import { noncentralTCdf, tQuantile } from './distributions.js';

/**
 * Power of a two-sided paired t test with `n` pairs for an effect of size `d` (d_z) at level `alpha` (default
 * .05).
 * @throws InputError for fewer than two pairs.
 */
export function power(d: number, n: number, alpha = 0.05): number {
  if (!(Number.isInteger(n) && n >= 2))
    throw new InputError(`power: needs at least two pairs, got ${n}`);
  const df = n - 1;
  const delta = d * Math.sqrt(n);
  const critical = tQuantile(1 - alpha / 2, df);
  return 1 - noncentralTCdf(critical, df, delta) + noncentralTCdf(-critical, df, delta);
}

const MOST = 100_000;

/**
 * Smallest number of pairs (seeds) with power `wanted` (default .8) for an effect `d`; null if 100,000 are not
 * enough.
 */
export function seedsNeeded(d: number, wanted = 0.8, alpha = 0.05): number | null {
  if (!(wanted > 0 && wanted < 1))
    throw new InputError(`seeds needed: the power must be in (0, 1), got ${wanted}`);
  let [low, high] = [1, 2]; // `low` is always too few
  while (power(d, high, alpha) < wanted) {
    if (high === MOST) return null;
    low = high;
    high = Math.min(2 * high, MOST);
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (power(d, middle, alpha) < wanted) low = middle;
    else high = middle;
  }
  return high;
}
