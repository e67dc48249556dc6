/** Rows to patch between: clean and corrupted inputs, with what is right of the clean ones. */
import { type HostArray, InputError, type Task } from '@grok/core';
import { takeRows } from '@grok/core/internal';
import type { LabeledBatch } from './metrics.js';

/** Clean rows, whose labels are right and whose `wrong` labels are those of the corrupted rows, and corrupted inputs. */
export interface PatchingPairs {
  readonly clean: LabeledBatch;
  /** `[rows, …]`, row by row beside the clean ones. */
  readonly corrupted: HostArray;
}

/** Rows of a task, with their labels. */
export function makeBatch(task: Task, rows: ArrayLike<number>): LabeledBatch {
  return {
    inputs: takeRows(task.inputs, Int32Array.from(rows)),
    labels: Int32Array.from(rows, (row) => task.labels[row] ?? 0),
  };
}

/** Given rows of a task, as pairs. @throws InputError when they are not as many. */
export function pairRows(
  task: Task,
  clean: ArrayLike<number>,
  corrupted: ArrayLike<number>,
): PatchingPairs {
  if (clean.length !== corrupted.length || clean.length === 0)
    throw new InputError(
      `pairs: must be as many clean rows as corrupted ones, 1 at least, got ${clean.length} and ${corrupted.length}`,
    );
  const other = makeBatch(task, corrupted);
  return { clean: { ...makeBatch(task, clean), wrong: other.labels }, corrupted: other.inputs };
}

/**
 * At most `n` pairs of a task that differ in one operand and in their answers, drawn from a seed.
 * @throws InputError when the task does not say what its pairs are.
 */
export function drawPairs(task: Task, seed: number, n: number): PatchingPairs {
  if (task.pairs === undefined)
    throw new InputError('pairs: this task draws none; choose rows and give them to pairRows');
  const { clean, corrupted } = task.pairs(seed, 2 * n);
  const differing = [...clean.keys()]
    .filter((i) => task.labels[clean[i] ?? 0] !== task.labels[corrupted[i] ?? 0])
    .slice(0, n);
  return pairRows(
    task,
    differing.map((i) => clean[i] ?? 0),
    differing.map((i) => corrupted[i] ?? 0),
  );
}
