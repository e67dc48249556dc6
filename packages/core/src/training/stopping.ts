/** Stop conditions and requirements of a run, such as for a control whose teacher only memorizes. */
import { RunError } from '../contracts/errors.js';
import type {
  Bounds,
  Experiment,
  HostArray,
  MetricsRow,
  Requirement,
  SplitRows,
  Task,
} from '../contracts/types.js';
import { rng } from '../tensors/rng.js';
import { takeRows } from '../tensors/rows.js';

type Scores = Pick<MetricsRow, 'epoch' | 'trainEval' | 'validation'>;

/** True when the training rows must be evaluated with dropout off: with it on, memorized rows look wrong. */
export function needsTrainEval({
  evaluate,
  stop,
  require,
}: Pick<Experiment, 'evaluate' | 'stop' | 'require'>): boolean {
  return (
    evaluate?.train === true ||
    stop?.trainAccuracy !== undefined ||
    require?.trainAccuracy !== undefined
  );
}

/** True when the last rows, over as many epochs as `stop` asks for, all reach its accuracies. */
export function isReached(stop: Experiment['stop'], rows: readonly Scores[]): boolean {
  const last = rows.at(-1);
  if (stop === undefined || last === undefined) return false;
  const { for: epochs = 1, trainAccuracy = 0, validationAccuracy = 0 } = stop;
  if (last.epoch < epochs) return false;
  for (const { epoch, trainEval, validation } of rows.toReversed()) {
    if (epoch <= last.epoch - epochs) return true;
    if ((trainEval?.accuracy ?? (stop.trainAccuracy === undefined ? 1 : -1)) < trainAccuracy)
      return false;
    if (validation.accuracy < validationAccuracy) return false;
  }
  return true;
}

/** @throws RunError when the last epoch's row is outside a bound, naming the bound. */
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
    `last epoch (${epoch}): ${what} accuracy is ${got.toFixed(4)}, must be ${rule} ${limit} (require.${key}.${bound}); the run does not meet its requirement`,
  );
}

/**
 * Permutes a teacher's inputs among the training rows, by the seed's stream `teacher-rows`: its
 * output for a row is then the output for another row.
 */
export function shuffleRows(inputs: HostArray, { train }: SplitRows, seed: number): HostArray {
  const order = rng(seed).split('teacher-rows').permutation(train.length);
  const rows = Int32Array.from({ length: inputs.shape[0] ?? 0 }, (_, row) => row);
  train.forEach((row, i) => {
    rows[row] = train[order[i]!]!;
  });
  return takeRows(inputs, rows);
}

/**
 * Permutes the labels among the training rows, by the seed's stream `labels`; validation rows keep
 * theirs. After Zhang et al. 2017 (1611.03530): only memorization is possible.
 */
export function shuffleLabels(task: Task, { train }: SplitRows, seed: number): Task {
  const order = rng(seed).split('labels').permutation(train.length);
  const labels = Int32Array.from(task.labels);
  train.forEach((row, i) => {
    labels[row] = task.labels[train[order[i]!]!]!;
  });
  return { ...task, labels };
}
