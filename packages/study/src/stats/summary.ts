/** Summary statistics of a sample: mean ± standard deviation, median. */
import { isConstant } from '@grok/core/internal';

/** Summary of a sample; `sd` divides by n − 1. Undefined values are null. */
export interface Summary {
  readonly n: number;
  readonly mean: number | null;
  readonly sd: number | null;
  readonly median: number | null;
}

/** Arithmetic mean; NaN for an empty list. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation with n − 1; 0 for values that are equal up to rounding, NaN for fewer than two values. */
export function sd(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  if (isConstant(values)) return 0;
  const m = mean(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - m) ** 2, 0) / (values.length - 1));
}

/** The median of numbers; null for an empty list. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Mean, standard deviation and median of a sample. */
export function summary(values: readonly number[]): Summary {
  return {
    n: values.length,
    mean: values.length === 0 ? null : mean(values),
    sd: values.length < 2 ? null : sd(values),
    median: median(values),
  };
}
