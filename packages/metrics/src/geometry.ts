/** Two representations compared as shapes: Procrustes distance and similarity of dissimilarities (RSA). */
import { centred, checkPaired, matrixOf, type Rows, singularValues, squaredNorm } from './rows.js';
import { pearson, ranks } from './sample.js';

/**
 * Squared Procrustes distance min over rotations R of ‖x·R − y‖² (Ding et al. 2021), both centred and of unit
 * Frobenius norm: 2 − 2‖xᵀy‖_*, 0 for equal shapes, 2 for unrelated ones. Widths may differ.
 */
export function procrustes(x: Rows, y: Rows): number {
  const [a, b] = [centred(matrixOf(x)), centred(matrixOf(y))];
  checkPaired('Procrustes', a, b);
  const nuclear = singularValues(a.transpose().mmul(b)).reduce((sum, s) => sum + s, 0); // of [d₁, d₂]
  return 2 - (2 * nuclear) / Math.sqrt(squaredNorm(a) * squaredNorm(b));
}

/**
 * Representational similarity analysis (Kriegeskorte et al. 2008): Spearman's correlation between the
 * pairwise dissimilarities 1 − Pearson of the rows of x and of y, in −1–1. Takes n²/2 numbers.
 */
export function rsa(x: Rows, y: Rows): number {
  const [a, b] = [matrixOf(x), matrixOf(y)];
  checkPaired('RSA', a, b, 3);
  return pearson(ranks(dissimilarities(a.to2DArray())), ranks(dissimilarities(b.to2DArray())));
}

function dissimilarities(rows: readonly number[][]): Float64Array {
  const n = rows.length;
  const out = new Float64Array((n * (n - 1)) / 2);
  let at = 0;
  for (let i = 1; i < n; i++)
    for (let j = 0; j < i; j++) out[at++] = 1 - pearson(rows[i]!, rows[j]!);
  return out;
}
