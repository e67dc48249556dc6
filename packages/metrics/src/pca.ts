/** Principal components (Pearson 1901; Hotelling 1933): the directions of largest variance. */
import { SingularValueDecomposition } from 'ml-matrix';
import { centered, type Rows, toMatrix } from './rows.js';

/** Principal components of observations. */
export interface PrincipalComponents {
  /**
   * Coordinates of each observation, `[observations, count]`; the largest loading of each component is
   * positive.
   */
  readonly scores: readonly (readonly number[])[];
  /** Share of the variance of each component, largest first; NaN if nothing varies. */
  readonly explained: readonly number[];
}

/** The first `count` principal components of observations `[…, d]`; fewer if there are fewer dimensions. */
export function computePca(value: Rows, count: number): PrincipalComponents {
  const x = centered(toMatrix(value));
  const svd = new SingularValueDecomposition(x, {
    autoTranspose: true,
    computeLeftSingularVectors: false,
  });
  const directions = svd.rightSingularVectors;
  const kept = Math.min(count, directions.columns);
  const total = svd.diagonal.reduce((sum, s) => sum + s * s, 0);
  const signs = Array.from({ length: kept }, (_, c) => {
    const largest = directions
      .getColumn(c)
      .reduce((most, loading) => (Math.abs(loading) > Math.abs(most) ? loading : most), 0);
    return largest < 0 ? -1 : 1;
  });
  const projected = x.mmul(directions);
  return {
    scores: Array.from({ length: x.rows }, (_, i) =>
      signs.map((sign, c) => sign * projected.get(i, c)),
    ),
    explained: svd.diagonal.slice(0, kept).map((s) => (s * s) / total),
  };
}
