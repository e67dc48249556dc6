/**
 * Canonical correlations of two representations: CCA, SVCCA (Raghu et al. 2017: after keeping the
 * directions that carry 99 % of the variance) and PWCCA (Morcos et al. 2018: weighted by how much of
 * the first representation each direction accounts for).
 */
import { type Matrix, SingularValueDecomposition } from 'ml-matrix';
import { centred, checkPaired, matrixOf, type Rows, thinSvd } from './rows.js';
import { average, dot } from './sample.js';

/** Canonical correlations, largest first, in 0–1, of x `[n, d₁]` and y `[n, d₂]`; n > d₁, d₂, or all are 1. */
export function cca(x: Rows, y: Rows): readonly number[] {
  const [a, b] = pair('CCA', x, y);
  return correlations(thinSvd(a).u, thinSvd(b).u).rho;
}

/** Mean canonical correlation between the leading directions that carry `variance` of each. */
export function svcca(
  x: Rows,
  y: Rows,
  variance = 0.99,
): { readonly mean: number; readonly kept: readonly [number, number] } {
  const [a, b] = pair('SVCCA', x, y);
  const [u, v] = [leading(a, variance), leading(b, variance)];
  return { mean: average(correlations(u, v).rho), kept: [u.columns, v.columns] };
}

/** Canonical correlations weighted by Σⱼ |⟨hᵢ, xⱼ⟩|, h the canonical variables of x and xⱼ its columns; not symmetric. */
export function pwcca(x: Rows, y: Rows): number {
  const [a, b] = pair('PWCCA', x, y);
  const u = thinSvd(a).u;
  const { rho, left } = correlations(u, thinSvd(b).u);
  const h = u.mmul(left); // [n, k]
  const weights = h.transpose().mmul(a).abs().sum('row'); // [k]
  return dot(rho, weights) / weights.reduce((sum, weight) => sum + weight, 0);
}

function pair(what: string, x: Rows, y: Rows): [Matrix, Matrix] {
  const [a, b] = [centred(matrixOf(x)), centred(matrixOf(y))];
  checkPaired(what, a, b);
  return [a, b];
}

/** Cosines of the principal angles between two orthonormal bases `[n, k]` (Björck & Golub 1973). */
function correlations(u: Matrix, v: Matrix): { rho: readonly number[]; left: Matrix } {
  const product = u.transpose().mmul(v); // [k₁, k₂]
  const svd = new SingularValueDecomposition(product, { autoTranspose: true });
  const k = Math.min(u.columns, v.columns);
  // Rounding can lift a correlation of 1 by an ulp.
  const rho = svd.diagonal.slice(0, k).map((r) => Math.min(r, 1));
  return { rho, left: svd.leftSingularVectors.subMatrix(0, u.columns - 1, 0, k - 1) };
}

function leading(x: Matrix, variance: number): Matrix {
  const { u, s } = thinSvd(x);
  const total = s.reduce((sum, v) => sum + v * v, 0);
  let carried = 0;
  const last = s.findIndex((v) => {
    carried += v * v;
    return carried >= variance * total;
  });
  return u.subMatrix(0, u.rows - 1, 0, last === -1 ? u.columns - 1 : last);
}
