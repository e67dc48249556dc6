/** Layouts of observations in the plane, and whether to believe one: are its neighbors theirs (Venna & Kaski 2001)? */
import { InputError } from '@grok/core';
import { checkPaired, type Rows, toMatrix } from './rows.js';

/** A layout of observations in the plane. */
export interface PlaneLayout {
  /** `[observations, 2]`. */
  readonly points: readonly (readonly number[])[];
}

/**
 * Trustworthiness of a layout of observations, 0–1: 1 where the `neighbors` (5) nearest points of each are its nearest
 * observations too, .5 on average for a layout at random. O(n² log n).
 * @throws InputError on other rows, or neighbors that are not from 1 to less than half of them.
 */
export function trustworthiness(value: Rows, layout: Rows, neighbors?: number): number {
  const [x, y] = [toMatrix(value), toMatrix(layout)];
  checkPaired('trustworthiness', x, y, 4);
  const n = x.rows;
  const k = neighbors ?? Math.min(5, Math.ceil(n / 2) - 1);
  if (!Number.isInteger(k) || k < 1 || k >= n / 2)
    throw new InputError(
      `trustworthiness: neighbors must be an integer from 1 to less than half of ${n} rows, got ${k}`,
    );
  const [near, far] = [x.to2DArray(), y.to2DArray()];
  let intruded = 0;
  for (let i = 0; i < n; i++) {
    const ranks = new Int32Array(n);
    for (const [rank, j] of sortByDistance(near, i).entries()) ranks[j] = rank + 1;
    for (const j of sortByDistance(far, i).slice(0, k))
      intruded += Math.max(0, (ranks[j] ?? 0) - k);
  }
  return 1 - (2 * intruded) / (n * k * (2 * n - 3 * k - 1));
}

/** The other rows, the nearest first. */
function sortByDistance(x: readonly (readonly number[])[], i: number): readonly number[] {
  const distances = x.map((row) => row.reduce((sum, v, j) => sum + (v - (x[i]?.[j] ?? 0)) ** 2, 0));
  return [...distances.keys()]
    .filter((j) => j !== i)
    .sort((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0));
}
