/** Singular values of states and weights, and how many stand out from chance (parallel analysis: Horn 1965). */
import type { Rng } from '@grok/core';
import { Matrix } from 'ml-matrix';
import { centered, type Rows, singularValues, toMatrix } from './rows.js';
import { average, drawPermutations, quantile } from './sample.js';

/** The singular values of a matrix beside those of chance. */
export interface SingularSpectrum {
  /** Largest first. */
  readonly values: readonly number[];
  readonly null: {
    /** Mean values when the entries of each column are permuted: the same columns, independent of each other. */
    readonly values: readonly number[];
    /** 95 % quantiles of those. */
    readonly upper: readonly number[];
    /** Share of permutations whose largest value is at least as large, the one seen counted. */
    readonly p: number;
  };
  /** How many of the first values are above the upper one of chance. */
  readonly above: number;
}

/**
 * The singular values of activations `[…, d]`, whose columns are centered first, or of weights (`centered: false`).
 * @param options permutations: draws of the null (99)
 */
export function singularSpectrum(
  value: Rows,
  options: { readonly rng: Rng; readonly centered?: boolean; readonly permutations?: number },
): SingularSpectrum {
  const { rng, permutations = 99 } = options;
  const matrix = toMatrix(value);
  const x = options.centered === false ? matrix : centered(matrix);
  const values = singularValues(x);
  const draws = Array.from({ length: permutations }, (_, draw) =>
    singularValues(permuteColumns(x, rng.split(draw))),
  );
  const upper = values.map((_, i) =>
    quantile(
      draws.map((drawn) => drawn[i] ?? 0),
      0.95,
    ),
  );
  const below = values.findIndex((v, i) => !(v > (upper[i] ?? 0)));
  const [largest = Number.NaN] = values;
  const atLeast = draws.filter(([drawn = 0]) => drawn >= largest).length;
  return {
    values,
    null: {
      values: values.map((_, i) => average(draws.map((drawn) => drawn[i] ?? 0))),
      upper,
      p: Number.isNaN(largest) ? Number.NaN : (1 + atLeast) / (1 + permutations),
    },
    above: below === -1 ? values.length : below,
  };
}

function permuteColumns(x: Matrix, rng: Rng): Matrix {
  const out = Matrix.zeros(x.rows, x.columns);
  for (const [column, order] of [...drawPermutations(rng, x.rows, x.columns)].entries())
    for (const [row, from] of order.entries()) out.set(row, column, x.get(from, column));
  return out;
}
