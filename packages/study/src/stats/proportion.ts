/** Confidence intervals of a proportion. */
import { InputError } from '@grok/core';
import { normalQuantile } from './distributions.js';

/**
 * Wilson's score interval (Wilson 1927) for `successes` out of `n`, as proportions; `confidence` defaults to
 * .95.
 * @throws InputError unless 0 ≤ successes ≤ n and n ≥ 1.
 */
export function wilson(successes: number, n: number, confidence = 0.95): readonly [number, number] {
  if (!(Number.isInteger(successes) && Number.isInteger(n) && n >= 1))
    throw new InputError(`Wilson interval: needs integers, got ${successes} of ${n}`);
  if (successes < 0 || successes > n)
    throw new InputError(`Wilson interval: needs 0 to ${n} successes, got ${successes}`);
  const z = normalQuantile((1 + confidence) / 2);
  const share = successes / n;
  const center = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const reach = Math.sqrt((share * (1 - share)) / n + (z / (2 * n)) ** 2);
  const half = (z * reach) / (1 + z ** 2 / n);
  // At the ends the bound is exactly 0 or 1, which rounding could exceed.
  return [successes === 0 ? 0 : center - half, successes === n ? 1 : center + half];
}
