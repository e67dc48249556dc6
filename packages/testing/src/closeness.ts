/** Measures deviations from expected numbers in units of the tolerance. */

/** Tolerance: a number is close if it differs by at most `absolute + relative · |expected|`. */
export interface Tolerance {
  readonly absolute?: number;
  readonly relative?: number;
}
/** The entry with the largest deviation. */
export interface Worst {
  /** Deviation over tolerance; above 1 is too large. Infinite for NaN and for a wrong length. */
  readonly ratio: number;
  /** Index of the entry, −1 if the lengths differ. */
  readonly index: number;
  readonly got: number;
  readonly want: number;
}

/** Finds the entry with the largest deviation; equal infinities and two NaN count as close. */
export function findWorst(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: Tolerance | ((index: number) => Tolerance) = {},
): Worst {
  if (got.length !== want.length)
    return { ratio: Number.POSITIVE_INFINITY, index: -1, got: got.length, want: want.length };
  let worst: Worst = { ratio: 0, index: 0, got: got[0] ?? 0, want: want[0] ?? 0 };
  for (let index = 0; index < want.length; index++) {
    const [g, w] = [Number(got[index]), Number(want[index])];
    const allowed = typeof tolerance === 'function' ? tolerance(index) : tolerance;
    const ratio = ratioTo(allowed, g, w);
    if (ratio > worst.ratio) worst = { ratio, index, got: g, want: w };
  }
  return worst;
}

/** Deviation over tolerance; infinite if exactly one of the two is NaN. */
function ratioTo({ absolute = 1e-5, relative = 0 }: Tolerance, got: number, want: number): number {
  if (Object.is(got, want) || got === want) return 0;
  const ratio = Math.abs(got - want) / (absolute + relative * Math.abs(want));
  return Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
}

/** Formats `entry 3 is 0.2, wanted 0.1 (2.5 times the tolerance)`. */
export function worstText({ ratio, index, got, want }: Worst): string {
  return index < 0
    ? `has ${got} entries, wanted ${want}`
    : `entry ${index} is ${got}, wanted ${want} (${ratio.toPrecision(3)} times the tolerance)`;
}
