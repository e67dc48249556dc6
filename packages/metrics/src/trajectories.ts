/** Rows of a representation on their way through training, along the principal components of all steps together. */
import { InputError } from '@grok/core';
import { Matrix } from 'ml-matrix';
import { computePca } from './pca.js';
import { checkPaired, type Rows, toMatrix } from './rows.js';

/** The representation of the same rows at one step. */
export interface TrainingState {
  readonly step: number;
  readonly rows: Rows;
}
/** Where rows were, step by step. */
export interface Trajectories {
  readonly steps: readonly number[];
  /** `[step][row][component]`. */
  readonly points: readonly (readonly (readonly number[])[])[];
  /** Index in `steps` of the first at or after the crossing; null where none is, or no crossing was given. */
  readonly crossing: number | null;
  /** Share of the variance over all steps and rows along each component. */
  readonly explained: readonly number[];
  /** For each row, how far it moved in all dimensions, summed over steps, as a multiple of the distance from first to last; 1 is a straight line. */
  readonly detour: readonly number[];
  /** What chance would show of `detour`: that of a random walk in many dimensions, Σ√Δ / √ΣΔ over the steps Δ between states. */
  readonly chance: number;
}

/**
 * Trajectories of rows over at least two states, in order of their steps.
 * @param options count: components (2); crossing: the step at which the run crossed a threshold
 * @throws InputError on states of different rows or widths, or steps that do not ascend
 */
export function traceRows(
  states: readonly TrainingState[],
  options: { readonly count?: number; readonly crossing?: number } = {},
): Trajectories {
  const { count = 2, crossing } = options;
  const each = states.map(({ rows }) => toMatrix(rows));
  const [first] = each;
  if (first === undefined || states.length < 2)
    throw new InputError(`trajectories: need at least 2 states, got ${states.length}`);
  const steps = states.map(({ step }) => step);
  for (const [i, state] of each.entries()) {
    checkPaired('trajectories', first, state, 1);
    if (state.columns !== first.columns || (steps[i] ?? 0) <= (steps[i - 1] ?? -1))
      throw new InputError(
        `trajectories: states must have one width and ascending steps, got widths ${each.map(({ columns }) => columns)} at steps ${steps}`,
      );
  }
  const { scores, explained } = computePca(new Matrix(each.flatMap((x) => x.to2DArray())), count);
  const at = crossing === undefined ? -1 : steps.findIndex((step) => step >= crossing);
  return {
    steps,
    points: each.map((_, i) => scores.slice(i * first.rows, (i + 1) * first.rows)),
    crossing: at === -1 ? null : at,
    explained,
    detour: Array.from({ length: first.rows }, (_, row) =>
      measureDetour(each.map((x) => x.getRow(row))),
    ),
    chance: walkRandomly(steps),
  };
}

/** Length of a path over the distance of its ends. */
function measureDetour(path: readonly (readonly number[])[]): number {
  const distance = (a: readonly number[] = [], b: readonly number[] = []): number =>
    Math.hypot(...a.map((v, i) => v - (b[i] ?? 0)));
  const length = path.slice(1).reduce((sum, point, i) => sum + distance(point, path[i]), 0);
  return length / distance(path[0], path.at(-1));
}

/** A random walk comes as far as the square root of its time. */
function walkRandomly(steps: readonly number[]): number {
  const times = steps.slice(1).map((step, i) => step - (steps[i] ?? 0));
  const total = times.reduce((sum, time) => sum + time, 0);
  return times.reduce((sum, time) => sum + Math.sqrt(time), 0) / Math.sqrt(total);
}
