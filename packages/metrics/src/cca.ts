/**
 * Canonical correlations of two representations: CCA, SVCCA (Raghu et al. 2017: after keeping the
 * directions that carry 99 % of the variance) and PWCCA (Morcos et al. 2018: weighted by how much of
 * the first representation each direction accounts for).
 */
import { type Matrix, SingularValueDecomposition } from 'ml-matrix';
import { type Basis, checkPaired, findBasis, type Rows, toMatrix } from './rows.js';
import { average, dot } from './sample.js';

/**
 * Canonical correlations (0–1), largest first, of x `[n, d₁]` and y `[n, d₂]`, as many as the smaller rank.
 * Needs n > d₁ and d₂; otherwise all are 1. A single NaN if x or y is constant or not finite.
 */
export function cca(x: Rows, y: Rows): readonly number[] {
  const [a, b] = findBases('CCA', x, y);
  return a === undefined || b === undefined ? [Number.NaN] : correlate(a.u, b.u).rho;
}

/**
 * Mean canonical correlation between the leading directions with a share `variance` of each; NaN as for `cca`.
 */
export function svcca(
  x: Rows,
  y: Rows,
  variance = 0.99,
): { readonly mean: number; readonly kept: readonly [number, number] } {
  const [a, b] = findBases('SVCCA', x, y);
  const [u, v] = [takeLeading(a, variance), takeLeading(b, variance)];
  return {
    mean: u === undefined || v === undefined ? Number.NaN : average(correlate(u, v).rho),
    kept: [u?.columns ?? 0, v?.columns ?? 0],
  };
}

/**
 * Projection-weighted CCA: canonical correlations weighted by Σⱼ |⟨hᵢ, xⱼ⟩|, with h the canonical variables of
 * x and xⱼ its columns. Not symmetric; NaN as for `cca`.
 */
export function pwcca(x: Rows, y: Rows): number {
  const [a, b] = findBases('PWCCA', x, y);
  if (a === undefined || b === undefined) return Number.NaN;
  const { rho, left } = correlate(a.u, b.u);
  const h = a.u.mmul(left); // [n, k]
  const weights = h.transpose().mmul(a.centered).abs().sum('row'); // [k]
  return dot(rho, weights) / weights.reduce((sum, weight) => sum + weight, 0);
}

function findBases(what: string, x: Rows, y: Rows): (Basis | undefined)[] {
  const [a, b] = [toMatrix(x), toMatrix(y)];
  checkPaired(what, a, b);
  return [findBasis(a), findBasis(b)];
}

/** Cosines of the principal angles between two orthonormal bases `[n, k]` (Björck & Golub 1973). */
function correlate(u: Matrix, v: Matrix): { rho: readonly number[]; left: Matrix } {
  const product = u.transpose().mmul(v); // [k₁, k₂]
  const svd = new SingularValueDecomposition(product, { autoTranspose: true });
  const k = Math.min(u.columns, v.columns);
  // Rounding can lift a correlation of 1 by an ulp.
  const rho = svd.diagonal.slice(0, k).map((r) => Math.min(r, 1));
  return { rho, left: svd.leftSingularVectors.subMatrix(0, u.columns - 1, 0, k - 1) };
}

function takeLeading(basis: Basis | undefined, variance: number): Matrix | undefined {
  if (basis === undefined) return undefined;
  const { u, s } = basis;
  const total = s.reduce((sum, v) => sum + v * v, 0);
  let carried = 0;
  const last = s.findIndex((v) => {
    carried += v * v;
    return carried >= variance * total;
  });
  return u.subMatrix(0, u.rows - 1, 0, last === -1 ? u.columns - 1 : last);
}
