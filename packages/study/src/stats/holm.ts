/** Holm's step-down correction for a family of tests (Holm 1979). */

/** Holm-adjusted p-values in the given order; rejecting those ≤ α controls the family-wise error rate at α. */
export function holm(p: readonly number[]): number[] {
  const order = [...p.keys()].sort((i, j) => p[i]! - p[j]!);
  const adjusted = new Array<number>(p.length);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, (p.length - rank) * p[index]!));
    adjusted[index] = largest;
  });
  return adjusted;
}
