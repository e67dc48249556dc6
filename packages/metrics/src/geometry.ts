/** Two representations compared as shapes: Procrustes distance and similarity of dissimilarities (RSA). */
import { chooseTolerance, isConstant, pearson, ranks } from '@grok/core/internal';
import { Matrix } from 'ml-matrix';
import { centered, checkPaired, type Rows, singularValues, squaredNorm, toMatrix } from './rows.js';

/**
 * Squared Procrustes distance: the minimum over rotations R of ‖x·R − y‖² (Ding et al. 2021), with both
 * centered and of unit Frobenius norm. It is 2 − 2‖xᵀy‖_*: 0 for equal shapes, 2 for unrelated ones. Widths may
 * differ. NaN if x or y is constant.
 */
export function procrustes(x: Rows, y: Rows): number {
  const [a, b] = [centered(toMatrix(x)), centered(toMatrix(y))];
  checkPaired('Procrustes', a, b);
  const nuclear = singularValues(a.transpose().mmul(b)).reduce((sum, s) => sum + s, 0); // of [d₁, d₂]
  // Rounding can take equal shapes below 0.
  return Math.max(0, 2 - (2 * nuclear) / Math.sqrt(squaredNorm(a) * squaredNorm(b)));
}

/**
 * Representational similarity analysis (Kriegeskorte et al. 2008): Spearman correlation (−1 to 1) of the
 * pairwise dissimilarities 1 − Pearson between the rows of x and of y. Values that are equal up to rounding
 * count as ties. NaN if a row is constant. Needs memory for n²/2 numbers.
 */
export function rsa(x: Rows, y: Rows): number {
  const [a, b] = [toMatrix(x), toMatrix(y)];
  checkPaired('RSA', a, b, 3);
  // The finer of both precisions, so that neither has ties that the other cannot have.
  const tolerance = Math.min(chooseTolerance(a.values()), chooseTolerance(b.values()));
  const ranked = (m: Matrix) => ranks(dissimilarities(m), { magnitude: 1, tolerance });
  return pearson(ranked(a), ranked(b));
}

/** 1 − Pearson of each pair of rows; of standardized rows it is their inner product. */
function dissimilarities(x: Matrix): Float64Array {
  const tolerance = chooseTolerance(x.values());
  const standard = Matrix.sub(
    x,
    Matrix.columnVector(x.mean('row')).mmul(Matrix.ones(1, x.columns)),
  );
  for (let i = 0; i < x.rows; i++) {
    // The mean's rounding can leave a constant row a direction that it does not have.
    const constant = isConstant(x.getRow(i), tolerance);
    const length = Math.sqrt(squaredNorm(standard.subMatrixRow([i])));
    standard.mulRow(i, constant ? Number.NaN : 1 / length);
  }
  const correlations = standard.mmul(standard.transpose()); // [n, n]
  const out = new Float64Array((x.rows * (x.rows - 1)) / 2);
  let at = 0;
  for (let i = 1; i < x.rows; i++)
    for (let j = 0; j < i; j++) out[at++] = 1 - correlations.get(i, j);
  return out;
}
