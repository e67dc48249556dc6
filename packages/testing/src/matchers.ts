/** Matchers for vitest: `expect(tensor).toBeCloseToTensor(wanted, { absolute: 1e-5 })`. */
import { expect } from 'vitest';
import { findWorst, type Tolerance, worstText } from './closeness.js';

/** Numbers in row-major order: a host array, a tfjs tensor, or a list. */
export type Numbers =
  | ArrayLike<number>
  | { readonly data: ArrayLike<number>; readonly shape?: readonly number[] }
  | { dataSync(): ArrayLike<number>; readonly shape: readonly number[] };

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration must repeat vitest's own parameter
  interface Matchers<T = any> {
    /**
     * Every entry is within `absolute` (default 1e-5) plus `relative` (default 0) times the
     * expected one; shapes must be equal if both sides have one.
     */
    toBeCloseToTensor(want: Numbers, tolerance?: Tolerance): T;
  }
}

/** Values and shape of an array or tensor; the shape of a plain list is undefined. */
export function readNumbers(from: Numbers): {
  data: ArrayLike<number>;
  shape?: readonly number[] | undefined;
} {
  if ('dataSync' in from && typeof from.dataSync === 'function')
    return { data: from.dataSync(), shape: from.shape };
  if ('data' in from && typeof from.data === 'object') return from;
  return { data: from as ArrayLike<number> };
}

/** Matchers for `expect.extend`; importing `@grok/testing` registers them. */
export const matchers: {
  toBeCloseToTensor(
    received: Numbers,
    want: Numbers,
    tolerance?: Tolerance,
  ): { pass: boolean; message: () => string };
} = {
  toBeCloseToTensor(received, want, tolerance) {
    const [got, wanted] = [readNumbers(received), readNumbers(want)];
    const shapes = [got.shape, wanted.shape].map((shape) => shape?.join());
    if (shapes.every((shape) => shape !== undefined) && shapes[0] !== shapes[1])
      return { pass: false, message: () => `has shape [${shapes[0]}], wanted [${shapes[1]}]` };
    const worst = findWorst(got.data, wanted.data, tolerance);
    return {
      pass: worst.ratio <= 1,
      message: () =>
        worst.ratio <= 1 ? 'is close, and should not be' : `is not close: ${worstText(worst)}`,
    };
  },
};

expect.extend(matchers);
