/** Histograms of parameters: bins of equal width from the least to the greatest value. */

/** One bin: its borders, and how many values lie in it. */
interface Bin {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}
/** Bins in ascending order. */
export type HistogramBins = readonly Bin[];

const BINS = 30;

/** Counts finite values in 30 bins, or in one where all are equal; empty without any. */
export function countBins(values: ArrayLike<number>): HistogramBins {
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  if (least > greatest) return [];
  const width = (greatest - least) / BINS;
  const counts = new Array<number>(width === 0 ? 1 : BINS).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    const bin = width === 0 ? 0 : Math.min(BINS - 1, Math.floor((value - least) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((count, i) => ({
    left: least + i * width,
    right: i === counts.length - 1 ? greatest : least + (i + 1) * width,
    count,
  }));
}
