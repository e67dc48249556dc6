/**
 * Teacher → student patching: a linear map from the teacher's activations to the student's, fitted on some
 * rows, and the student run on others with what the map makes of the teacher there (model stitching: Lenc
 * and Vedaldi 2015; Bansal et al. 2021).
 */
import { type HostArray, InputError, type Site, type SiteInfo } from '@grok/core';
import { reader } from '@grok/core/internal';
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { HookedModel } from './hooked-model.js';
import type { LabeledBatch, Metric } from './metrics.js';
import { findSite } from './sites.js';

/** Share of the mean variance that is added to every direction's, so that constant ones have a solution. */
const RIDGE = 1e-6;

/** Options of `stitch`. */
export interface StitchOptions {
  readonly teacher: HookedModel;
  readonly student: HookedModel;
  /** A site `[pos, width]` of each model. */
  readonly teacherSite: Site;
  readonly studentSite: Site;
  /** Rows to fit the map on, such as training rows. */
  readonly fit: HostArray;
  /** Rows to run the student on; none of them may be in the fitted rows. */
  readonly batch: LabeledBatch;
  /** Default `accuracy`. */
  readonly metric?: Metric;
}
/** Metrics of the student with the teacher's activations. */
export interface Stitching {
  /** The metric of the unchanged student. */
  readonly student: number;
  /** The metric with the mapped activations of the teacher. */
  readonly stitched: number;
  /** The metric with the student's mean activations over the fitted rows: a baseline that any map can reach. */
  readonly meanAblated: number;
  /** Share of the variance of the student's activations that the map explains on the rows of `batch`. */
  readonly r2: number;
}

/**
 * Fits one affine map per position and patches the student with it.
 * @throws InputError if vocabularies, positions or sites do not match.
 */
export async function stitch(options: StitchOptions): Promise<Stitching> {
  const { teacher, student, teacherSite, studentSite, fit, batch, metric = 'accuracy' } = options;
  checkModels(options);
  const read = async (model: HookedModel, site: Site, inputs: HostArray): Promise<HostArray> =>
    reader('site', (await model.runWithCache(inputs, [site])).cache)(site);
  const [from, to] = [await read(teacher, teacherSite, fit), await read(student, studentSite, fit)];
  const [given, own] = [
    await read(teacher, teacherSite, batch.inputs),
    await read(student, studentSite, batch.inputs),
  ];
  const [, positions = 1] = to.shape;
  const mapped: HostArray = { ...own, data: new Float32Array(own.data.length) };
  for (let position = 0; position < positions; position++) {
    const map = fitMap(matrixAt(from, position), matrixAt(to, position));
    writeAt(mapped, position, map(matrixAt(given, position)));
  }
  const hook = (replace: HostArray) => [{ site: studentSite, replace }];
  return {
    student: await student.measure(batch, metric),
    stitched: await student.measure(batch, metric, hook(mapped)),
    meanAblated: await student.measure(batch, metric, [
      { site: studentSite, ablate: 'mean', over: fit },
    ]),
    r2: explained(own, mapped),
  };
}

function checkModels({ teacher, student, teacherSite, studentSite }: StitchOptions): void {
  const [theirs, ours] = [
    findSite(teacher.sites, teacherSite),
    findSite(student.sites, studentSite),
  ];
  const vocabularies = [teacher, student].map(({ sites }) => findSite(sites, 'logits').shape[0]);
  if (vocabularies[0] !== vocabularies[1])
    throw new InputError(
      `stitch: teacher and student must have the same vocabulary, got ${vocabularies[0]} and ${vocabularies[1]} classes; choose runs of the same task`,
    );
  const isRows = ({ axes, shape }: SiteInfo): boolean => axes[0] === 'pos' && shape.length === 2;
  if (!isRows(theirs) || !isRows(ours) || theirs.shape[0] !== ours.shape[0])
    throw new InputError(
      `stitch: sites must be [pos, width] with equal numbers of positions, got "${teacherSite}" [${theirs.axes}] and "${studentSite}" [${ours.axes}]; choose residual streams`,
    );
}

/** One position's values, `[rows, width]`. */
function matrixAt({ data, shape }: HostArray, position: number): Matrix {
  const [rows = 0, positions = 1, width = 0] = shape;
  const start = (row: number): number => (row * positions + position) * width;
  return new Matrix(
    Array.from({ length: rows }, (_, row) =>
      Array.from(data.subarray(start(row), start(row) + width)),
    ),
  );
}

function writeAt({ data, shape }: HostArray, position: number, values: Matrix): void {
  const [, positions = 1, width = 0] = shape;
  for (let row = 0; row < values.rows; row++)
    data.set(values.getRow(row), (row * positions + position) * width);
}

/** Least squares with an intercept: `[rows, from]` → `[rows, to]`. */
function fitMap(x: Matrix, y: Matrix): (x: Matrix) => Matrix {
  const [meanX, meanY] = [x.mean('column'), y.mean('column')];
  const centered = x.clone().subRowVector(meanX);
  const transposed = centered.transpose();
  const gram = transposed.mmul(centered);
  const ridge = (RIDGE * gram.trace()) / gram.rows + Number.MIN_VALUE ** 0.5;
  const weights = new CholeskyDecomposition(
    gram.add(Matrix.eye(gram.rows, gram.rows, ridge)),
  ).solve(transposed.mmul(y.clone().subRowVector(meanY)));
  return (rows) => rows.clone().subRowVector(meanX).mmul(weights).addRowVector(meanY);
}

/** 1 − residual / variance, both about the means of each position and dimension. */
function explained({ data, shape }: HostArray, { data: fitted }: HostArray): number {
  const [rows = 1] = shape;
  const size = data.length / rows;
  const means = new Float64Array(size);
  for (const [i, value] of data.entries()) means[i % size] = (means[i % size] ?? 0) + value / rows;
  let [residual, total] = [0, 0];
  for (const [i, value] of data.entries()) {
    residual += (value - (fitted[i] ?? 0)) ** 2;
    total += (value - (means[i % size] ?? 0)) ** 2;
  }
  return 1 - residual / total;
}
