/**
 * Equality up to rounding, shared by all statistical tests and measures. A difference counts as
 * rounding when it is small relative to the magnitudes of the inputs, not relative to the result.
 */

/** Relative difference that counts as rounding: a few units in the last place of the storage type. */
export const ROUNDING: { readonly float32: number; readonly float64: number } = {
  float32: 2 ** -20,
  float64: 2 ** -40,
};

/** The `ROUNDING` for measured values: float32 if every value is a float32, else float64. */
export function chooseTolerance(values: Iterable<number>): number {
  for (const value of values)
    if (Math.fround(value) !== value && !Number.isNaN(value)) return ROUNDING.float64;
  return ROUNDING.float32;
}

/** Returns a value, or 0 if it is only rounding relative to the magnitude of its inputs. */
export function dropRounding(
  value: number,
  magnitude: number,
  tolerance: number = ROUNDING.float64,
): number {
  return Math.abs(value) <= tolerance * Math.abs(magnitude) ? 0 : value;
}

/** a − b, or 0 if they are equal up to rounding. */
export function difference(a: number, b: number, tolerance?: number): number {
  return dropRounding(a - b, Math.max(Math.abs(a), Math.abs(b)), tolerance);
}

/** True if all values are equal up to rounding; false if any is NaN. */
export function isConstant(values: Iterable<number>, tolerance?: number): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > high || difference(high, low, tolerance) === 0;
}

/** How `mergeTies` and `ranks` decide ties. */
export interface TieOptions {
  /** Magnitude of the inputs to the values; default: the largest absolute value. */
  readonly magnitude?: number;
  /** Default: `ROUNDING.float64`. */
  readonly tolerance?: number;
}

/** Replaces each value by the smallest one that it is tied with up to rounding; NaN is kept. */
export function mergeTies(values: ArrayLike<number>, options: TieOptions = {}): Float64Array {
  const { groupOf: findGroup, starts } = findTies(values, options);
  return Float64Array.from(values, (value) => starts[findGroup(value)] ?? Number.NaN);
}

/** Ranks from 1; values tied up to rounding share their mean rank, and NaN has rank NaN. */
export function ranks(values: ArrayLike<number>, options: TieOptions = {}): Float64Array {
  const { groupOf: findGroup, before } = findTies(values, options);
  return Float64Array.from(values, (value) => {
    const group = findGroup(value);
    return ((before[group] ?? Number.NaN) + 1 + (before[group + 1] ?? Number.NaN)) / 2;
  });
}

/** Groups of tied values, ascending. No group is wider than the tolerance, so dense values do not chain into one group. */
function findTies(values: ArrayLike<number>, { magnitude, tolerance }: TieOptions) {
  // Sorting numbers and looking each one up is much faster than sorting indices.
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort();
  const largest = Math.max(Math.abs(sorted[0] ?? 0), Math.abs(sorted.at(-1) ?? 0));
  const starts: number[] = [];
  const before: number[] = [];
  for (const [i, value] of sorted.entries()) {
    const start = starts.at(-1);
    if (start !== undefined && dropRounding(value - start, magnitude ?? largest, tolerance) === 0)
      continue;
    starts.push(value);
    before.push(i);
  }
  before.push(sorted.length);
  /** Index of the last group that starts at or below the value; undefined for NaN. */
  const findGroup = (value: number): number => {
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? Number.NaN) <= value) low = middle + 1;
      else high = middle;
    }
    return Number.isNaN(value) ? -2 : low - 1;
  };
  return { groupOf: findGroup, starts, before };
}
