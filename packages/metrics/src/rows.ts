/** Activations as matrices: one row an observation, one column a dimension; all in float64. */
import { type HostArray, InputError, type Task } from '@grok/core';
import { chooseTolerance, dropRounding, isConstant } from '@grok/core/internal';
import { Matrix, QrDecomposition, SingularValueDecomposition } from 'ml-matrix';

/** Observations × dimensions: a host array `[…, d]` (leading axes are observations), lists, or a matrix. */
export type Rows = HostArray | readonly (readonly number[])[] | Matrix;

/** A value as a matrix `[observations, d]`; the leading axes of a host array are flattened. */
export function toMatrix(value: Rows): Matrix {
  if (Matrix.isMatrix(value)) return value;
  if (!('data' in value)) return new Matrix(value.map((row) => [...row]));
  const d = value.shape.at(-1) ?? 1;
  return Matrix.from1DArray(value.data.length / d, d, value.data);
}

/**
 * The values at one position, `[batch, d]`, of a site `[batch, pos, d]`; negative positions count from the end.
 * @throws InputError for a value of another rank or a position that does not exist.
 */
export function atPosition(value: HostArray, position: number): Matrix {
  const [batch = 0, positions = 0, d = 0] = value.shape;
  const at = position < 0 ? positions + position : position;
  if (value.shape.length !== 3 || at < 0 || at >= positions)
    throw new InputError(
      `position ${position}: the value has shape [${value.shape}]; give [batch, pos, d]`,
    );
  const rows = Array.from({ length: batch }, (_, i) => {
    const start = (i * positions + at) * d;
    return value.data.subarray(start, start + d);
  });
  return new Matrix(rows.map((row) => [...row]));
}

/** The last position's values, `[rows, d]`. */
export function takeLastPosition(value: HostArray): HostArray {
  const matrix = atPosition(value, -1);
  return {
    shape: [matrix.rows, matrix.columns],
    dtype: 'float32',
    data: Float32Array.from(matrix.to1DArray()),
  };
}

/** The labels of some rows of a task. */
export function takeLabels({ labels }: Task, rows: Int32Array): Int32Array {
  return rows.map((row) => labels[row]!);
}

/** A copy with every column's mean taken off; a column that is constant up to rounding is zero in it. */
export function centered(x: Matrix): Matrix {
  const out = x.clone().subRowVector(x.mean('column'));
  const tolerance = chooseTolerance(x.values());
  for (let column = 0; column < x.columns; column++)
    if (isConstant(x.getColumn(column), tolerance)) out.mulColumn(column, 0);
  return out;
}

/** Σ x². */
export function squaredNorm(x: Matrix): number {
  let sum = 0;
  for (let i = 0; i < x.rows; i++) for (let j = 0; j < x.columns; j++) sum += x.get(i, j) ** 2;
  return sum;
}

/** Singular values, largest first; NaN if an entry is not finite. */
export function singularValues(x: Matrix): readonly number[] {
  if (!Number.isFinite(squaredNorm(x))) return [Number.NaN];
  const tall = x.rows >= x.columns ? x : x.transpose();
  // R has the singular values of the whole, and is much the smaller of the two.
  const r = tall.rows > 2 * tall.columns ? new QrDecomposition(tall).upperTriangularMatrix : tall;
  const off = { computeLeftSingularVectors: false, computeRightSingularVectors: false };
  return new SingularValueDecomposition(r, off).diagonal;
}

/** Directions in which observations vary. */
export interface Basis {
  /** The observations with their columns' means taken off, `[n, d]`. */
  readonly centered: Matrix;
  /** Orthonormal left singular vectors `[n, k]`. */
  readonly u: Matrix;
  /** Singular values, largest first, k of them. */
  readonly s: readonly number[];
}

/**
 * The directions in which x `[n, d]` varies by more than rounding. Stored values are off by their
 * precision times their size, so singular values are by as much of the Frobenius norm of x as it is,
 * before centring (Weyl's inequality); what is below has no direction. Undefined where nothing
 * varies or a value is not finite.
 */
export function findBasis(x: Matrix): Basis | undefined {
  const norm = Math.sqrt(squaredNorm(x));
  if (!Number.isFinite(norm)) return undefined;
  const moved = centered(x);
  const svd = new SingularValueDecomposition(moved, {
    autoTranspose: true,
    computeRightSingularVectors: false,
  });
  const tolerance = chooseTolerance(x.values());
  const s = svd.diagonal.filter((value) => dropRounding(value, norm, tolerance) !== 0);
  if (s.length === 0) return undefined;
  const u = svd.leftSingularVectors.subMatrix(0, x.rows - 1, 0, s.length - 1);
  return { centered: moved, u, s };
}

/** @throws InputError unless both have as many rows, and at least `least`. */
export function checkPaired(what: string, x: Matrix, y: Matrix, least = 2): void {
  if (x.rows !== y.rows)
    throw new InputError(`${what}: ${x.rows} and ${y.rows} rows; give both models the same inputs`);
  if (x.rows < least) throw new InputError(`${what}: needs at least ${least} rows, got ${x.rows}`);
}
