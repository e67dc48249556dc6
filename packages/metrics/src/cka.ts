/**
 * Linear centred kernel alignment (Kornblith et al. 2019), biased as published and debiased with the
 * estimator of HSIC of Song et al. 2012 (JMLR 13, eq. 5). Both are ratios
 * HSIC(X, Y) / √(HSIC(X, X) · HSIC(Y, Y)).
 */
import type { Matrix } from 'ml-matrix';
import { centred, checkPaired, matrixOf, type Rows, squaredNorm } from './rows.js';
import { dot } from './sample.js';

/**
 * Biased linear CKA of x `[n, d₁]` and y `[n, d₂]`, in 0–1. Independent data do not give 0: with
 * n = 32 and d = 64 they give .67. @throws InputError on different numbers of rows.
 */
export function cka(x: Rows, y: Rows): number {
  const [a, b] = [centred(matrixOf(x)), centred(matrixOf(y))];
  checkPaired('CKA', a, b);
  const hsic = (p: Matrix, q: Matrix) => squaredNorm(p.transpose().mmul(q)); // [d₁, d₂]
  return hsic(a, b) / Math.sqrt(hsic(a, a) * hsic(b, b));
}

/**
 * Debiased linear CKA of x `[n, d₁]` and y `[n, d₂]`, around 0 for independent data (it may be
 * negative), at most 1; n > 3. Memory grows with n·d, not n². @throws InputError on too few rows.
 */
export function debiasedCka(x: Rows, y: Rows): number {
  const [a, b] = [centred(matrixOf(x)), centred(matrixOf(y))];
  checkPaired('debiased CKA', a, b, 4);
  return unbiasedHsic(a, b) / Math.sqrt(unbiasedHsic(a, a) * unbiasedHsic(b, b));
}

/** Song et al. 2012, eq. 5, for linear kernels K = xxᵀ and L = yyᵀ without their diagonals, unscaled. */
function unbiasedHsic(x: Matrix, y: Matrix): number {
  const n = x.rows;
  const [k, l] = [kernelSums(x), kernelSums(y)];
  const trace = squaredNorm(x.transpose().mmul(y)) - dot(k.diagonal, l.diagonal);
  const cross = dot(k.rows, l.rows);
  return trace + (k.total * l.total) / ((n - 1) * (n - 2)) - (2 * cross) / (n - 2);
}

/** The diagonal of xxᵀ, its row sums without the diagonal, and their total. */
function kernelSums(x: Matrix): { diagonal: number[]; rows: number[]; total: number } {
  const total = x.sum('column');
  const diagonal = x.to2DArray().map((row) => row.reduce((sum, v) => sum + v * v, 0));
  const rows = diagonal.map((own, i) => dot(x.getRow(i), total) - own);
  return { diagonal, rows, total: rows.reduce((a, b) => a + b, 0) };
}
