/** The distribution of a model's weights: norms, sparsity, kurtosis and histogram, per layer and in all. */
import type { HostParams } from '@grok/core';
import { difference, dropRounding } from '@grok/core/internal';
import { l1, l2, normalizedL1L2, parameterCount } from './norms.js';

/** Statistics of a set of weights. */
export interface WeightStatistics {
  readonly count: number;
  /** Number of weights with an absolute value above `zero`. */
  readonly l0: number;
  readonly l1: number;
  readonly l2: number;
  /** L1/(L2·√N). */
  readonly l1OverL2SqrtN: number;
  /** 1 − l0/count. */
  readonly sparsity: number;
  readonly mean: number;
  readonly std: number;
  /**
   * Excess kurtosis m₄/m₂² − 3: 0 for a normal distribution, large if few weights are large; NaN if all are
   * equal.
   */
  readonly kurtosis: number;
  readonly histogram: Histogram;
}
/** Counts in equal bins from `low` to `high`; the last bin includes `high`. */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

/**
 * Statistics of all parameters and of each layer (`embed`, `blocks.0`, …), or with `by: 'parameter'` of each
 * tensor. A weight counts as zero if its absolute value is at most `zero`, by default 1e-6 as published.
 */
export function computeWeightStatistics(
  params: HostParams,
  options: { zero?: number; bins?: number; by?: 'layer' | 'parameter' } = {},
): { readonly all: WeightStatistics; readonly parts: Readonly<Record<string, WeightStatistics>> } {
  const { by = 'layer' } = options;
  const parts = by === 'layer' ? byLayer(params) : splitEach(params);
  return {
    all: summarizeWeights(params, options),
    parts: Object.fromEntries(
      Object.entries(parts).map(([name, part]) => [name, summarizeWeights(part, options)]),
    ),
  };
}

/** Parameters grouped by layer: `blocks.1.attn.W_Q` belongs to `blocks.1`, `embed.W_E` to `embed`. */
export function byLayer(params: HostParams): Record<string, HostParams> {
  const groups: Record<string, Record<string, HostParams[string]>> = {};
  for (const [name, value] of Object.entries(params)) {
    const layer = /^blocks\.\d+|^[^.]+/.exec(name)?.[0] ?? name;
    groups[layer] ??= {};
    groups[layer][name] = value;
  }
  return groups;
}

function splitEach(params: HostParams): Record<string, HostParams> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, { [name]: value }]),
  );
}

function summarizeWeights(
  params: HostParams,
  { zero = 1e-6, bins = 50 }: { zero?: number; bins?: number },
): WeightStatistics {
  const count = parameterCount(params);
  const each = (of: (w: number) => number) => {
    let sum = 0;
    for (const { data } of Object.values(params)) for (const w of data) sum += of(w);
    return sum;
  };
  const mean = each((w) => w) / count;
  // Two passes: Σw² − (Σw)²/N cancels.
  const m2 = dropRounding(each((w) => (w - mean) ** 2) / count, mean ** 2);
  const l0 = each((w) => (Math.abs(w) > zero ? 1 : 0));
  return {
    count,
    l0,
    l1: l1(params),
    l2: l2(params),
    l1OverL2SqrtN: normalizedL1L2(params),
    sparsity: 1 - l0 / count,
    mean,
    std: Math.sqrt(m2),
    kurtosis: each((w) => (w - mean) ** 4) / count / m2 ** 2 - 3,
    histogram: histogram(
      Object.values(params).map(({ data }) => data),
      bins,
    ),
  };
}

/** Histogram of all values of some arrays in `bins` equal bins from the smallest to the largest. */
export function histogram(arrays: readonly Iterable<number>[], bins = 50): Histogram {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of arrays)
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  const range = difference(high, low);
  const counts = new Array<number>(bins).fill(0);
  for (const values of arrays)
    for (const value of values) {
      const bin = range === 0 ? 0 : Math.floor(((value - low) / range) * bins);
      counts[Math.min(bin, bins - 1) || 0]!++; // NaN: the first bin
    }
  return { low, high, counts };
}
