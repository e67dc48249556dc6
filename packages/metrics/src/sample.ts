/** A few words of statistics on lists of numbers. */
import type { Rng } from '@grok/core';

/** Arithmetic mean; NaN of an empty list. */
export function average(values: ArrayLike<number> & Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Σ x·y of two lists of one length. */
export function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** Entrywise mean of lists of one length. */
export function averageLists(lists: readonly ArrayLike<number>[]): Float64Array {
  const out = new Float64Array(lists[0]?.length ?? 0);
  for (const values of lists) addScaled(out, 1 / lists.length, values);
  return out;
}

/** values[i] += amount. */
export function addAt(values: Float64Array, i: number, amount: number): void {
  values[i] = (values[i] ?? 0) + amount;
}

/** out += factor · values, entry by entry. */
export function addScaled(out: Float64Array, factor: number, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) out[i]! += factor * values[i]!;
}

/** `count` random orders of 0 … n − 1 (Fisher & Yates), many from one draw: to split a generator costs more. */
export function* drawPermutations(rng: Rng, n: number, count: number): Generator<Int32Array> {
  const most = Math.max(1, Math.floor(65536 / n));
  for (let start = 0; start < count; start += most) {
    const uniform = rng.split(start).uniform(Math.min(most, count - start) * n);
    for (let at = 0; at < uniform.length; at += n) {
      const order = Int32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = Math.floor((uniform[at + i] ?? 0) * (i + 1));
        const held = order[i] ?? 0;
        order[i] = order[j] ?? 0;
        order[j] = held;
      }
      yield order;
    }
  }
}

/** Quantile `q` (0–1) by linear interpolation between order statistics (Hyndman & Fan's type 7). */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * q;
  const [below = Number.NaN, above = below] = sorted.subarray(Math.floor(at), Math.ceil(at) + 1);
  return below + (above - below) * (at - Math.floor(at));
}

/** −Σ p log p in nats, with 0 log 0 = 0; the values are divided by their sum first. NaN when that is 0. */
export function entropy(values: ArrayLike<number> & Iterable<number>): number {
  const total = average(values) * values.length;
  let sum = 0;
  for (const value of values) {
    const p = value / total;
    if (p !== 0) sum -= p * Math.log(p);
  }
  return sum;
}

/** Gini coefficient of non-negative values: 0 if all are equal, close to 1 if one value dominates. */
export function gini(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const weighted = sorted.reduce((sum, x, i) => sum + (2 * i + 1 - n) * x, 0);
  return weighted / (n * n * average(sorted));
}
