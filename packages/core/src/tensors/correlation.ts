/** Pearson's correlation of two lists of numbers. */
import { isConstant } from './rounding.js';

/** Pearson's correlation; NaN when either list is constant up to rounding. */
export function pearson(
  x: readonly number[] | Float64Array,
  y: readonly number[] | Float64Array,
): number {
  if (isConstant(x) || isConstant(y)) return Number.NaN;
  const [meanX, meanY] = [average(x), average(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [i, value] of x.entries()) {
    const [dx, dy] = [value - meanX, (y[i] ?? Number.NaN) - meanY];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

function average(values: readonly number[] | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
