/** Collects deviations and keeps the largest. */
import { findWorst, type Tolerance, worstText } from '../closeness.js';

/** Numbers to compare, with their shape. */
export interface ParityValues {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** The deviations found so far in one case. */
export interface ParityVerdict {
  /** Compares an array with the expected one; the tolerance may differ per entry. */
  check(
    name: string,
    got: ParityValues | undefined,
    want: ParityValues,
    tolerance: Tolerance | ((index: number) => Tolerance),
  ): void;
  /** Checks a condition that must hold exactly. */
  require(name: string, holds: boolean, otherwise: string): void;
  /** Largest deviation over its tolerance, and where; above 1 is a failure. */
  readonly ratio: number;
  readonly where: string;
  readonly problems: readonly string[];
  readonly checked: number;
}

/** Deviations common to the reference and float32: see the fixtures' README. */
export const SITES: Tolerance = { absolute: 2e-5 };
export const GRADIENTS: Tolerance = { absolute: 2e-5, relative: 1e-3 };

/** An empty verdict. */
export function verdict(): ParityVerdict {
  let [ratio, where, checked] = [0, '', 0];
  const problems: string[] = [];
  const note = (name: string, found: number, problem: string): void => {
    checked++;
    if (found > ratio || where === '') [ratio, where] = [found, name];
    if (found > 1) problems.push(`${name} ${problem}`);
  };
  return {
    check(name, got, want, tolerance) {
      if (got === undefined) return note(name, Number.POSITIVE_INFINITY, 'is missing');
      // A loss is an array of one element in the files and a scalar in a step.
      const sizes = [got.shape, want.shape].map((shape) => shape.filter((n) => n !== 1).join());
      if (sizes[0] !== sizes[1])
        return note(
          name,
          Number.POSITIVE_INFINITY,
          `has shape [${got.shape}], wanted [${want.shape}]`,
        );
      const worst = findWorst(got.data, want.data, tolerance);
      note(name, worst.ratio, worstText(worst));
    },
    require: (name, holds, otherwise) =>
      note(name, holds ? 0 : Number.POSITIVE_INFINITY, otherwise),
    get ratio() {
      return ratio;
    },
    get where() {
      return where;
    },
    get checked() {
      return checked;
    },
    problems,
  };
}
