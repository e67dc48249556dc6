/** A few words of statistics on lists of numbers. */

/** Arithmetic mean; NaN of an empty list. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Quantile `q` (0–1) by linear interpolation between order statistics (Hyndman & Fan's type 7). */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}

/** Ranks from 1; equal values share the mean of their ranks, and NaN has the rank NaN. */
export function ranks(values: ArrayLike<number>): Float64Array {
  // Sorting plain numbers and looking each up beats sorting indices by far.
  const sorted = Float64Array.from(values).sort();
  const before = (value: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return Float64Array.from(values, (v) =>
    Number.isNaN(v) ? v : (before(v, false) + 1 + before(v, true)) / 2,
  );
}

/** Pearson's correlation; NaN when either list is constant. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - mx, y[i]! - my];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

/** −Σ p log p in nats, with 0 log 0 = 0; the values are divided by their sum first. NaN when that is 0. */
export function entropy(values: ArrayLike<number>): number {
  const total = mean(values) * values.length;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const p = values[i]! / total;
    if (p !== 0) sum -= p * Math.log(p);
  }
  return sum;
}

/** Gini coefficient of non-negative values: 0 when all are equal, towards 1 when one has all. */
export function gini(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const weighted = sorted.reduce((sum, x, i) => sum + (2 * i + 1 - n) * x, 0);
  return weighted / (n * n * mean(sorted));
}
