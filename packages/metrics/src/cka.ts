/**
 * Linear centered kernel alignment (Kornblith et al. 2019), biased as published and debiased with the
 * estimator of HSIC of Song et al. 2012 (JMLR 13, eq. 5). Both are ratios
 * HSIC(X, Y) / √(HSIC(X, X) · HSIC(Y, Y)).
 */
import { dropRounding } from '@grok/core/internal';
import type { Matrix } from 'ml-matrix';
import { centered, checkPaired, type Rows, squaredNorm, toMatrix } from './rows.js';
import { dot } from './sample.js';

/**
 * Biased linear CKA (0–1) of x `[n, d₁]` and y `[n, d₂]`. It is not 0 for independent data: about .67 for n =
 * 32 and d = 64. NaN if x or y is constant.
 * @throws InputError on different numbers of rows.
 */
export function cka(x: Rows, y: Rows): number {
  const [a, b] = [centered(toMatrix(x)), centered(toMatrix(y))];
  checkPaired('CKA', a, b);
  const hsic = (p: Matrix, q: Matrix) => squaredNorm(p.transpose().mmul(q)); // [d₁, d₂]
  return normalizeHsic(hsic(a, b), hsic(a, a), hsic(b, b));
}

/**
 * Debiased linear CKA of x `[n, d₁]` and y `[n, d₂]`: around 0 for independent data (it may be negative), at
 * most 1; needs n > 3. NaN if the rows of x or y are constant or equidistant. Memory grows with n·d, not n².
 * @throws InputError on too few rows.
 */
export function debiasedCka(x: Rows, y: Rows): number {
  const [a, b] = [centered(toMatrix(x)), centered(toMatrix(y))];
  checkPaired('debiased CKA', a, b, 4);
  return normalizeHsic(unbiasedHsic(a, b), unbiasedHsic(a, a), unbiasedHsic(b, b));
}

/** Song et al. 2012, eq. 5, for linear kernels K = xxᵀ and L = yyᵀ without their diagonals, unscaled. */
function unbiasedHsic(x: Matrix, y: Matrix): number {
  const n = x.rows;
  const [k, l] = [kernelSums(x), kernelSums(y)];
  const all = squaredNorm(x.transpose().mmul(y));
  const trace = all - dot(k.diagonal, l.diagonal);
  return combineHsic(n, { trace, totals: k.total * l.total, cross: dot(k.rows, l.rows) }, all);
}

/** HSIC of Song et al. 2012, eq. 5, from its three sums; `all` is of the trace with the diagonals, which cancel. */
export function combineHsic(
  n: number,
  { trace, totals, cross }: { trace: number; totals: number; cross: number },
  all: number,
): number {
  const terms = [trace, totals / ((n - 1) * (n - 2)), (-2 * cross) / (n - 2)];
  const magnitude = terms.reduce((sum, term) => sum + Math.abs(term), Math.abs(all));
  return dropRounding(
    terms.reduce((sum, term) => sum + term, 0),
    magnitude,
  );
}

/** HSIC(X, Y) / √(HSIC(X, X) · HSIC(Y, Y)), at most 1 whatever rounding says; NaN without variance on either side. */
export function normalizeHsic(xy: number, xx: number, yy: number): number {
  return xx === 0 || yy === 0 ? Number.NaN : Math.min(xy / Math.sqrt(xx * yy), 1);
}

/** The diagonal of xxᵀ, its row sums without the diagonal, and their total. */
function kernelSums(x: Matrix): { diagonal: number[]; rows: number[]; total: number } {
  const total = x.sum('column');
  const diagonal = x.to2DArray().map((row) => row.reduce((sum, v) => sum + v * v, 0));
  const rows = diagonal.map((own, i) => dot(x.getRow(i), total) - own);
  return { diagonal, rows, total: rows.reduce((a, b) => a + b, 0) };
}
