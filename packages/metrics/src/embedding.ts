/**
 * An embedding of residues seen from where their order shows: along two principal components, and on
 * the circle of each frequency (Nanda et al. 2023, arXiv 2301.05217).
 */
import { type HostArray, isInputError, type Task } from '@grok/core';
import { chooseTolerance, dropRounding } from '@grok/core/internal';
import { Matrix } from 'ml-matrix';
import { embeddingSpectrum } from './fourier.js';
import { type CyclicGroup, cyclicGroup } from './modular.js';
import { computePca } from './pca.js';
import { centered, toMatrix } from './rows.js';

/** Projections of an embedding; points are `[x, y]` for each residue in the group's order. */
export interface EmbeddingViews {
  readonly residues: readonly number[];
  /** Norm of the embedding's component at each frequency 1, 2, … */
  readonly spectrum: readonly number[];
  readonly principal: readonly (readonly number[])[];
  /** By frequency 1, 2, … */
  readonly circles: readonly (readonly (readonly number[])[])[];
}

/**
 * Projections of the residues' rows of an embedding `[vocabulary, d_model]`; empty for a task without a group.
 */
export function viewEmbedding(embedding: HostArray, task: Pick<Task, 'modular'>): EmbeddingViews {
  const group = findGroup(task);
  if (group === undefined) return { residues: [], spectrum: [], principal: [], circles: [] };
  const n = group.order;
  const rows = centered(toMatrix(embedding).subMatrixRow([...group.residues]));
  const circles = Array.from({ length: Math.floor((n - 1) / 2) }, (_, i) =>
    viewCircle(rows, i + 1),
  );
  return {
    residues: group.residues,
    spectrum: embeddingSpectrum(embedding, group).frequencies.slice(0, circles.length),
    principal: computePca(rows, 2).scores,
    circles,
  };
}

function findGroup(task: Pick<Task, 'modular'>): CyclicGroup | undefined {
  try {
    return cyclicGroup(task);
  } catch (error) {
    if (isInputError(error)) return undefined;
    throw error;
  }
}

/** Coordinates in the plane of the rows' cosine and sine parts at frequency k: `[n, 2]`; 0 along a part that is rounding. */
function viewCircle(rows: Matrix, k: number): readonly (readonly number[])[] {
  const n = rows.rows;
  const wave = (f: (angle: number) => number): Matrix =>
    Matrix.rowVector(Array.from({ length: n }, (_, x) => f((2 * Math.PI * ((k * x) % n)) / n)));
  const cosine = wave(Math.cos).mmul(rows); // [1, d_model]
  const sine = wave(Math.sin).mmul(rows);
  const magnitude = Math.sqrt(n) * rows.norm();
  const tolerance = chooseTolerance(rows.values());
  const toUnit = (v: Matrix): Matrix => {
    const length = dropRounding(v.norm(), magnitude, tolerance);
    return length === 0 ? Matrix.mul(v, 0) : Matrix.div(v, length);
  };
  const x = toUnit(cosine);
  const y = toUnit(Matrix.sub(sine, Matrix.mul(x, sine.dot(x))));
  const plane = new Matrix([x.to1DArray(), y.to1DArray()]); // [2, d_model]
  return rows.mmul(plane.transpose()).to2DArray();
}
