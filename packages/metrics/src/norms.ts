/**
 * Norms of a model's parameters taken as one long vector, in float64 (the paper, section 4.3.2).
 * Objectives' extra parameters are not the model's: leave them out.
 */
import type { HostParams } from '@grok/core';

/** Number of parameters. */
export function parameterCount(params: HostParams): number {
  return Object.values(params).reduce((sum, { data }) => sum + data.length, 0);
}

/** Σ |w| over all parameters. */
export function l1(params: HostParams): number {
  let sum = 0;
  for (const { data } of Object.values(params)) for (const w of data) sum += Math.abs(w);
  return sum;
}

/** √Σ w² over all parameters. */
export function l2(params: HostParams): number {
  let sum = 0;
  for (const { data } of Object.values(params)) for (const w of data) sum += w * w;
  return Math.sqrt(sum);
}

/**
 * L1 / (L2 · √N), in (0, 1]: 1 if all absolute values are equal, √(2/π) ≈ .798 for a normal distribution,
 * smaller if few entries dominate. Unlike L1 / L2, it does not grow with N. NaN if all parameters are zero.
 */
export function normalizedL1L2(params: HostParams): number {
  return l1(params) / (l2(params) * Math.sqrt(parameterCount(params)));
}
