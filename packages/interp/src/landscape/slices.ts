/**
 * Lines and planes through the loss: from initial to final parameters (Goodfellow et al. 2015), along
 * filter-normalized random directions (Li et al. 2018, section 4), and along the principal components of a
 * trajectory (there, section 7). All results are plain data.
 */
import { type HostArray, type HostParams, InputError, type Model, rng } from '@grok/core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { combineParams, dotParams } from './points.js';
import type { LossPoint, LossSurface } from './surface.js';

/** Loss and accuracy at points along a line or a path. */
export interface LossCurve {
  readonly t: readonly number[];
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
}
/** Loss and accuracy on a grid. */
export interface LossGrid {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** `[y, x]`, the order of `loss` and `accuracy`. */
  readonly shape: readonly [number, number];
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
}
/** Where a curve or a grid is computed. */
export interface RangeOptions {
  /** First and last coordinate. */
  readonly range?: readonly [number, number];
  /** Number of coordinates, ends included. */
  readonly points?: number;
}

/** Equal steps from one end of a range to the other. @throws InputError when there are not two points. */
export function spaceEvenly([first, last]: readonly [number, number], points: number): number[] {
  if (!Number.isInteger(points) || points < 2)
    throw new InputError(`landscape: points must be an integer ≥ 2, got ${points}`);
  if (!Number.isFinite(first) || !Number.isFinite(last))
    throw new InputError(`landscape: a range must be two finite numbers, got ${first} and ${last}`);
  return Array.from({ length: points }, (_, i) => first + ((last - first) * i) / (points - 1));
}

/** Loss and accuracy at the parameters that `at` gives for each coordinate. */
export async function readCurve(
  surface: LossSurface,
  t: readonly number[],
  at: (t: number) => HostParams,
): Promise<LossCurve> {
  const found: LossPoint[] = [];
  for (const coordinate of t) found.push(await surface.evaluate(at(coordinate)));
  return {
    t,
    loss: found.map(({ loss }) => loss),
    accuracy: found.map(({ accuracy }) => accuracy),
  };
}

/**
 * The line `(1 − t) · from + t · to`, by default from t = 0 to 1 at 25 points.
 * @throws InputError when the two are not parameters of one model.
 */
export async function lossOnLine(
  surface: LossSurface,
  from: HostParams,
  to: HostParams,
  { range = [0, 1], points = 25 }: RangeOptions = {},
): Promise<LossCurve> {
  return readCurve(surface, spaceEvenly(range, points), (t) =>
    combineParams([1 - t, from], [t, to]),
  );
}

/** The line `center + t · direction`, by default from t = −1 to 1 at 25 points. */
export async function lossAlongDirection(
  surface: LossSurface,
  center: HostParams,
  direction: HostParams,
  { range = [-1, 1], points = 25 }: RangeOptions = {},
): Promise<LossCurve> {
  return readCurve(surface, spaceEvenly(range, points), (t) =>
    combineParams([1, center], [t, direction]),
  );
}

/** The plane `center + x · directions[0] + y · directions[1]`, by default from −1 to 1 at 25 × 25 points. */
export async function lossOnPlane(
  surface: LossSurface,
  center: HostParams,
  directions: readonly [HostParams, HostParams],
  {
    range = [-1, 1],
    rangeY = range,
    points = 25,
  }: RangeOptions & { readonly rangeY?: readonly [number, number] } = {},
): Promise<LossGrid> {
  const [x, y] = [spaceEvenly(range, points), spaceEvenly(rangeY, points)];
  const [loss, accuracy]: [number[], number[]] = [[], []];
  for (const up of y) {
    const moved = combineParams([1, center], [up, directions[1]]);
    const row = await readCurve(surface, x, (t) => combineParams([1, moved], [t, directions[0]]));
    loss.push(...row.loss);
    accuracy.push(...row.accuracy);
  }
  return { x, y, shape: [y.length, x.length], loss, accuracy };
}

/**
 * A random direction, each filter of it as long as the filter of `params` at its place: the weights into one
 * unit (a column), or of a table of tokens or positions one row. Norm scales and biases get 0. Directions of
 * one seed are the same for models of one architecture, up to these lengths.
 */
export function filterNormalizedDirection(
  model: Model,
  params: HostParams,
  seed: number,
): HostParams {
  const tables = new Set(model.sites().flatMap(({ table }) => table ?? []));
  const random = rng(seed).split('landscape');
  return Object.fromEntries(
    Object.entries(params).map(([name, array]): [string, HostArray] => {
      const { data, shape } = array;
      if (shape.length < 2) return [name, { ...array, data: new Float32Array(data.length) }];
      const drawn = random.split(name).normal(data.length);
      const isTable = tables.has(name) || name === 'pos_embed.W_pos';
      return [name, { data: scaleFilters(drawn, array, isTable), shape, dtype: 'float32' }];
    }),
  );
}

/** Gives each filter of `drawn` the norm of its counterpart: rows of a table, else columns. */
function scaleFilters(
  drawn: Float32Array,
  { data, shape }: HostArray,
  byRow: boolean,
): Float32Array {
  const width = shape.at(-1) ?? 1;
  const readFilter = (i: number): number => (byRow ? Math.floor(i / width) : i % width);
  const squares = (values: ArrayLike<number>): Float64Array => {
    const sums = new Float64Array(byRow ? data.length / width : width);
    for (let i = 0; i < values.length; i++)
      sums[readFilter(i)] = (sums[readFilter(i)] ?? 0) + (values[i] ?? 0) ** 2;
    return sums;
  };
  const [wanted, got] = [squares(data), squares(drawn)];
  return drawn.map(
    (value, i) => value * Math.sqrt((wanted[readFilter(i)] ?? 0) / (got[readFilter(i)] || 1)),
  );
}

/** The loss around a trajectory, in the plane that holds most of it. */
export interface TrajectoryPlane extends LossGrid {
  /** Where each state is, projected on the plane; the last is (0, 0). */
  readonly path: readonly (readonly [x: number, y: number])[];
  /** Share of the variance of the states along both axes. */
  readonly explained: readonly [number, number];
}

/**
 * The plane through the last of a run's states along the first two principal components of all states, in
 * units of distance between parameters; a fifth of the path's extent is shown beyond it on every side.
 * @throws InputError on fewer than 3 states, or states on one line.
 */
export async function lossOnTrajectory(
  surface: LossSurface,
  states: readonly HostParams[],
  { points = 25 }: Pick<RangeOptions, 'points'> = {},
): Promise<TrajectoryPlane> {
  const last = states.at(-1);
  if (states.length < 3 || last === undefined)
    throw new InputError(
      `landscape: a trajectory must have 3 states or more, got ${states.length}`,
    );
  const moves = states.map((state) => combineParams([1, state], [-1, last]));
  const { directions, explained } = findPrincipalDirections(moves);
  const path = moves.map((move): [number, number] => [
    dotParams(move, directions[0]),
    dotParams(move, directions[1]),
  ]);
  const reach = (axis: 0 | 1): [number, number] => {
    const values = path.map((point) => point[axis]);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const margin = (most - least) / 5;
    return [least - margin, most + margin];
  };
  const ranges = { range: reach(0), rangeY: reach(1), points };
  return { ...(await lossOnPlane(surface, last, directions, ranges)), path, explained };
}

/** The two unit directions of most variance, from the eigenvectors of the centered Gram matrix. */
function findPrincipalDirections(moves: readonly HostParams[]): {
  readonly directions: readonly [HostParams, HostParams];
  readonly explained: readonly [number, number];
} {
  const gram = new Matrix(moves.map((a) => moves.map((b) => dotParams(a, b))));
  const centered = gram.center('row').center('column');
  const { realEigenvalues: values, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(
    centered,
    { assumeSymmetric: true },
  );
  const order = values.map((_, i) => i).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
  const total = centered.trace();
  const component = (rank: number): { direction: HostParams; share: number } => {
    const column = order[rank] ?? 0;
    const value = values[column] ?? 0;
    if (!(value > 1e-9 * total))
      throw new InputError('landscape: states must not lie on one line; use lossOnLine instead');
    const terms = moves.map(
      (move, i) => [vectors.get(i, column) / Math.sqrt(value), move] as const,
    );
    const [first, ...rest] = terms;
    if (first === undefined) throw new RangeError('landscape: no states');
    return { direction: combineParams(first, ...rest), share: value / total };
  };
  const [first, second] = [component(0), component(1)];
  return {
    directions: [first.direction, second.direction],
    explained: [first.share, second.share],
  };
}
