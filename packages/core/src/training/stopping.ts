/** When a run has done enough, and what it must have come to: conditions of controls, such as a teacher that only memorised. */
import { RunError } from '../contracts/errors.js';
import type {
  Bounds,
  Experiment,
  MetricsRow,
  Requirement,
  SplitRows,
  Task,
} from '../contracts/types.js';
import { rng } from '../tensors/rng.js';

type Scores = Pick<MetricsRow, 'epoch' | 'trainEval' | 'validation'>;

/** True when the training rows must be judged with dropout off: with it on, what is known by heart looks forgotten. */
export function needsTrainEval({
  stop,
  require,
}: {
  readonly stop?: Experiment['stop'] | undefined;
  readonly require?: Experiment['require'] | undefined;
}): boolean {
  return stop !== undefined || require?.trainAccuracy !== undefined;
}

/** True when an epoch's row fulfils `stop`. */
export function isReached(stop: Experiment['stop'], row: Scores | undefined): boolean {
  return stop !== undefined && (row?.trainEval?.accuracy ?? -1) >= stop.trainAccuracy;
}

/** @throws RunError when the last epoch's row is outside a bound, naming it. */
export function checkRequired(required: Requirement | undefined, row: Scores | undefined): void {
  if (row === undefined) return;
  const { trainAccuracy, validationAccuracy } = required ?? {};
  if (row.trainEval !== undefined)
    check('training', 'trainAccuracy', trainAccuracy, row.trainEval.accuracy, row.epoch);
  check('validation', 'validationAccuracy', validationAccuracy, row.validation.accuracy, row.epoch);
}

function check(
  what: string,
  key: string,
  { atLeast = 0, atMost = 1 }: Bounds = {},
  got: number,
  epoch: number,
): void {
  if (got >= atLeast && got <= atMost) return;
  const [bound, rule, limit] =
    got < atLeast
      ? (['atLeast', 'at least', atLeast] as const)
      : (['atMost', 'at most', atMost] as const);
  throw new RunError(
    `epoch ${epoch}, the last: ${what} accuracy is ${got.toFixed(4)}, and must be ${rule} ${limit} (require.${key}.${bound}); this run is not what it was meant to be`,
  );
}

/**
 * The task with the labels of the training rows permuted among these rows, by the stream `labels`
 * of the seed; validation rows keep theirs. After Zhang et al. 2017 (1611.03530): what is left is memory.
 */
export function shuffleLabels(task: Task, { train }: SplitRows, seed: number): Task {
  const order = rng(seed).split('labels').permutation(train.length);
  const labels = Int32Array.from(task.labels);
  train.forEach((row, i) => {
    labels[row] = task.labels[train[order[i]!]!]!;
  });
  return { ...task, labels };
}
