/** Random matrices for tests, as lists of rows. */
import { type HostArray, rng } from '@grok/core';
import { Matrix } from 'ml-matrix';
import { dot } from '../src/sample.js';

/** Standard normal draws `[n, d]`. */
export function gaussian(label: string | number, n: number, d: number): Matrix {
  return Matrix.from1DArray(
    n,
    d,
    rng(11)
      .split(label)
      .normal(n * d),
  );
}
/** A random rotation of d dimensions: the left singular vectors of a draw. */
export function rotation(label: string, d: number): Matrix {
  const columns = gaussian(label, d, d).transpose().to2DArray();
  const basis: number[][] = [];
  for (const column of columns) {
    let v = column;
    // Twice is enough for orthogonality to rounding (Gram–Schmidt).
    for (let pass = 0; pass < 2; pass++)
      for (const b of basis) {
        const along = dot(v, b);
        v = v.map((x, i) => x - along * Number(b[i]));
      }
    const size = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
    basis.push(v.map((x) => x / size));
  }
  return new Matrix(basis);
}
/** A host array of the given values. */
export function host(shape: number[], values: ArrayLike<number>): HostArray {
  return { data: Float32Array.from(values), shape, dtype: 'float32' };
}
