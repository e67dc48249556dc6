/** Rows to patch between: clean and corrupted inputs, with what is right of the clean ones. */
import { type HostArray, InputError, type Task } from '@grok/core';
import { takeRows } from '@grok/core/internal';
import type { LabeledBatch } from './metrics.js';

/** Clean rows with their labels, the labels of the corrupted rows as `wrong`, and corrupted inputs. */
export interface PatchingPairs {
  readonly clean: LabeledBatch;
  /** `[rows, …]`, in the same order as the clean rows. */
  readonly corrupted: HostArray;
}

/** Rows of a task, with their labels. */
export function makeBatch(task: Task, rows: ArrayLike<number>): LabeledBatch {
  return {
    inputs: takeRows(task.inputs, Int32Array.from(rows)),
    labels: Int32Array.from(rows, (row) => task.labels[row] ?? 0),
  };
}

/** Pairs given rows of a task. @throws InputError if the lists have different lengths. */
export function pairRows(
  task: Task,
  clean: ArrayLike<number>,
  corrupted: ArrayLike<number>,
): PatchingPairs {
  if (clean.length !== corrupted.length || clean.length === 0)
    throw new InputError(
      `pairs: must have equal numbers of clean and corrupted rows, at least 1, got ${clean.length} and ${corrupted.length}`,
    );
  const other = makeBatch(task, corrupted);
  return { clean: { ...makeBatch(task, clean), wrong: other.labels }, corrupted: other.inputs };
}

/**
 * At most `n` seeded random pairs of rows of a task that differ in one operand and in their answers.
 * @throws InputError if the task has no `pairs`.
 */
export function drawPairs(task: Task, seed: number, n: number): PatchingPairs {
  if (task.pairs === undefined)
    throw new InputError('pairs: this task has none; choose rows and pass them to pairRows');
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
