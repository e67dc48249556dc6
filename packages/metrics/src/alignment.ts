/** Two representations laid on each other: the rotation of one that fits the other best (Schönemann 1966), with its null. */
import type { Rng } from '@grok/core';
import { dropRounding } from '@grok/core/internal';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { procrustes } from './geometry.js';
import { centered, checkPaired, type Rows, squaredNorm, toMatrix } from './rows.js';
import { average, drawPermutations } from './sample.js';

/** Both in the coordinates of the second, centered and of unit Frobenius norm: NaN where one does not vary. */
export interface Alignment {
  /** `[rows, d₂]`: the first, rotated (and reflected) onto the second. */
  readonly aligned: readonly (readonly number[])[];
  /** `[rows, d₂]`. */
  readonly target: readonly (readonly number[])[];
  /** Orthogonal `[d₁, d₂]`: with orthonormal rows or columns where the widths differ. */
  readonly rotation: readonly (readonly number[])[];
  /** ‖aligned − target‖² where the widths are the same; `procrustes` in every case. */
  readonly distance: number;
}

/** Aligns x `[n, d₁]` with y `[n, d₂]` of the same inputs. @throws InputError on rows that do not pair. */
export function alignProcrustes(x: Rows, y: Rows): Alignment {
  const [a, b] = [toUnit(toMatrix(x)), toUnit(toMatrix(y))];
  checkPaired('alignment', a, b);
  const product = a.transpose().mmul(b); // [d₁, d₂]
  const svd = new SingularValueDecomposition(product, { autoTranspose: true });
  const k = Math.min(a.columns, b.columns);
  const [u, v] = [svd.leftSingularVectors, svd.rightSingularVectors].map((m) =>
    m.subMatrix(0, m.rows - 1, 0, k - 1),
  );
  const rotation = (u ?? product).mmul((v ?? product).transpose());
  return {
    aligned: a.mmul(rotation).to2DArray(),
    target: b.to2DArray(),
    rotation: rotation.to2DArray(),
    distance: procrustes(x, y),
  };
}

function toUnit(x: Matrix): Matrix {
  const moved = centered(x);
  return Matrix.div(moved, Math.sqrt(squaredNorm(moved)));
}

/** The Procrustes distance of two representations with what chance would show. */
export interface AlignmentTest {
  readonly distance: number;
  readonly null: {
    /** Mean distance when the rows of one are permuted. */
    readonly distance: number;
    /** Share of permutations with at most that distance, the one seen counted. */
    readonly p: number;
  };
}

/** `procrustes` with a permutation null (99 draws unless told otherwise). @throws InputError on rows that do not pair. */
export function testAlignment(
  x: Rows,
  y: Rows,
  { rng, permutations = 99 }: { readonly rng: Rng; readonly permutations?: number },
): AlignmentTest {
  const [a, b] = [toMatrix(x), toMatrix(y)];
  const distance = procrustes(a, b);
  const draws = Array.from(drawPermutations(rng, b.rows, permutations), (order) =>
    procrustes(a, b.subMatrixRow([...order])),
  );
  const atMost = draws.filter((drawn) => dropRounding(drawn - distance, 2) <= 0).length;
  const p = Number.isNaN(distance) ? Number.NaN : (1 + atMost) / (1 + permutations);
  return { distance, null: { distance: average(draws), p } };
}
