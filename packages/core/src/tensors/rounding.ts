/**
 * Equal up to rounding: one notion for every statistical test and every measure. What is called
 * rounding is small relative to the magnitudes that a value was computed from, not to the value.
 */

/** Relative size up to which a difference is rounding: some units in the last place of what values are stored in. */
export const ROUNDING: { readonly float32: number; readonly float64: number } = {
  float32: 2 ** -20,
  float64: 2 ** -40,
};

/** The `ROUNDING` of measured values: of float32 when every value is one, else of float64. */
export function chooseTolerance(values: Iterable<number>): number {
  for (const value of values)
    if (Math.fround(value) !== value && !Number.isNaN(value)) return ROUNDING.float64;
  return ROUNDING.float32;
}

/** A value, or 0 where it is rounding beside the magnitude of what it was computed from. */
export function dropRounding(
  value: number,
  magnitude: number,
  tolerance: number = ROUNDING.float64,
): number {
  return Math.abs(value) <= tolerance * Math.abs(magnitude) ? 0 : value;
}

/** a − b, 0 where they are equal up to rounding. */
export function difference(a: number, b: number, tolerance?: number): number {
  return dropRounding(a - b, Math.max(Math.abs(a), Math.abs(b)), tolerance);
}

/** True when all values are equal up to rounding; false where one is NaN. */
export function isConstant(values: Iterable<number>, tolerance?: number): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > high || difference(high, low, tolerance) === 0;
}

/** How `mergeTies` and `ranks` tell ties. */
export interface TieOptions {
  /** Magnitude of what the values were computed from; default: of the largest of them. */
  readonly magnitude?: number;
  /** Default: `ROUNDING.float64`. */
  readonly tolerance?: number;
}

/** The values, each replaced by the least of those that it is tied with up to rounding; NaN stays. */
export function mergeTies(values: ArrayLike<number>, options: TieOptions = {}): Float64Array {
  const { groupOf: findGroup, starts } = findTies(values, options);
  return Float64Array.from(values, (value) => starts[findGroup(value)] ?? Number.NaN);
}

/** Ranks from 1; values that are tied up to rounding share the mean of their ranks, and NaN has the rank NaN. */
export function ranks(values: ArrayLike<number>, options: TieOptions = {}): Float64Array {
  const { groupOf: findGroup, before } = findTies(values, options);
  return Float64Array.from(values, (value) => {
    const group = findGroup(value);
    return ((before[group] ?? Number.NaN) + 1 + (before[group + 1] ?? Number.NaN)) / 2;
  });
}

/** Groups of tied values, ascending: no group is wider than the tolerance, so that dense values never chain into one. */
function findTies(values: ArrayLike<number>, { magnitude, tolerance }: TieOptions) {
  // Sorting plain numbers and looking each up beats sorting indices by far.
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
  /** Index of the last group that starts at the value or below; NaN has none. */
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
