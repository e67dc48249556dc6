/** The length of a run, in epochs or steps, and how its rows are divided into batches. */
import type { Execution, Experiment, MetricsRow, Position } from '../contracts/types.js';

/** The length of a run: a number of epochs, or of optimizer steps. */
export type Budget = Pick<Experiment, 'epochs' | 'steps'>;

/** Rows per step and steps per epoch; the last step of an epoch may have fewer rows. */
export interface Batches {
  readonly size: number;
  readonly perEpoch: number;
}
/** Divides `rows` rows into batches. */
export function countBatches(batch: Experiment['batch'], rows: number): Batches {
  const size = batch === 'full' ? rows : Math.min(batch, rows);
  return { size, perEpoch: Math.ceil(rows / size) };
}

/** Whether a run has reached its length. */
export function isSpent(
  { epochs = Number.POSITIVE_INFINITY, steps = Number.POSITIVE_INFINITY }: Budget,
  { epoch, step }: Pick<Position, 'epoch' | 'step'>,
): boolean {
  return epoch >= epochs || step >= steps;
}

/** Number of steps in the whole run. */
export function countSteps({ epochs = 0, steps }: Budget, { perEpoch }: Batches): number {
  return steps ?? epochs * perEpoch;
}

/** Number of epochs in the whole run, including a partial last one; for a length in steps, it needs a row of the run. */
export function countEpochs(
  { epochs, steps }: Budget,
  row?: Pick<MetricsRow, 'epoch' | 'step'>,
): number | undefined {
  if (epochs !== undefined || steps === undefined || row === undefined) return epochs;
  return Math.ceil((steps * row.epoch) / row.step);
}

/** Formats a length for people: `150 epochs`, `4000 steps`. */
export function formatBudget({ epochs, steps }: Budget): string {
  const [count, unit] = steps === undefined ? [epochs ?? 0, 'epoch'] : [steps, 'step'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** The steps after which a run's parameters are recorded: the listed ones, or log-spaced ones from 1 to the last. */
export function listRecordedSteps(record: Execution['record'], total: number): ReadonlySet<number> {
  if (record === undefined) return new Set();
  if ('steps' in record) return new Set(record.steps);
  const { logSpaced: count } = record;
  if (count === 1) return new Set([total]);
  return new Set(Array.from({ length: count }, (_, i) => Math.round(total ** (i / (count - 1)))));
}
