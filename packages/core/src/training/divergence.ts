/** Errors for a loss that is not finite, naming the terms that caused it. */
import { RunError } from '../contracts/errors.js';
import type { Checkpoint, EpochSums, HostParams } from '../contracts/types.js';
import { countBatches } from './budget.js';
import { orderRows } from './programs.js';
import { gradientsByTerm } from './term-gradients.js';
import type { Training } from './training.js';

const REMEDY = 'earlier checkpoints are kept; try a lower learning rate';

/** The training or validation loss of a run is not finite after `step` steps. */
export class DivergenceError extends RunError {
  /** Number of steps completed before. */
  readonly step: number;
  /** Whether the message names specific terms. */
  readonly isNamed: boolean;
  readonly #what: string;
  constructor(step: number, what: string, why = '', isNamed = false) {
    super(`step ${step}: ${what}${why}; ${REMEDY}`);
    this.step = step;
    this.isNamed = isNamed;
    this.#what = what;
  }
  /** The same error, naming the terms whose gradients were not finite. */
  withGuilty(terms: readonly string[]): DivergenceError {
    const named = terms.map((name) => `"${name}"`).join(', ');
    const of = terms.length === 1 ? `term ${named} was` : `terms ${named} were`;
    const why = ` (the gradient of ${of} not finite at step ${this.step - 1})`;
    return new DivergenceError(this.step, this.#what, why, true);
  }
}

/** The error for a step's loss. It names the terms that are not finite, or all of them when only a weight or the sum is not. */
export function divergedAt(step: number, { loss, terms }: EpochSums): DivergenceError {
  const all = Object.entries(terms);
  const odd = all.filter(([, value]) => !Number.isFinite(value));
  const details = (odd.length > 0 ? odd : all).map(([name, value]) => `term "${name}" is ${value}`);
  const isNamed = odd.length < all.length;
  return new DivergenceError(step, `the loss is ${loss}`, ` (${details.join(', ')})`, isNamed);
}

/** Names of the terms whose gradients are not finite in the step after a checkpoint, without dropout. */
export async function findInfiniteGradients(
  run: Training,
  checkpoint: Checkpoint,
): Promise<readonly string[]> {
  const { size } = countBatches(run.batch, run.split.train.length);
  const { epoch, batch } = checkpoint.position;
  const at = orderRows(run, epoch + 1).subarray(batch * size, (batch + 1) * size);
  const rows = at.map((row) => run.split.train[row] ?? row);
  const { terms } = await gradientsByTerm(run, checkpoint, rows, 1);
  return Object.keys(terms).filter((name) => !(terms[name] ?? []).every(areFinite));
}

const areFinite = (params: HostParams): boolean =>
  Object.values(params).every(({ data }) => data.every(Number.isFinite));
