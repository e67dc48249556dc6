/** CKA of every layer of one model with every layer of another, each with its null (Kornblith et al. 2019, figure 2). */
import type { Rng } from '@grok/core';
import { ckaTest } from './cka-test.js';
import type { Rows } from './rows.js';

/** Matrices in the order of `rows` and `columns`; NaN where a layer does not vary. */
export interface CkaMatrix {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Debiased CKA. */
  readonly cka: readonly (readonly number[])[];
  readonly null: {
    /** Mean debiased CKA when the rows of one are permuted. */
    readonly cka: readonly (readonly number[])[];
    /** Share of permutations with at least as much, the one seen counted. */
    readonly p: readonly (readonly number[])[];
  };
}

/**
 * CKA of representations of the same inputs by name, those of one model with those of another.
 * @param options group: observations in a row that are permuted together, such as an input's positions (1)
 * @throws InputError as `ckaTest`
 */
export function ckaMatrix(
  x: Readonly<Record<string, Rows>>,
  y: Readonly<Record<string, Rows>>,
  options: { readonly rng: Rng; readonly permutations?: number; readonly group?: number },
): CkaMatrix {
  const { permutations = 99, ...others } = options;
  const tests = Object.values(x).map((a) =>
    Object.values(y).map((b) => ckaTest(a, b, { ...others, permutations, resamples: 0 })),
  );
  return {
    rows: Object.keys(x),
    columns: Object.keys(y),
    cka: tests.map((row) => row.map(({ debiased }) => debiased)),
    null: {
      cka: tests.map((row) => row.map((test) => test.null.debiased)),
      p: tests.map((row) => row.map((test) => test.null.p)),
    },
  };
}
