/** Upper limits on the size of a run, checked before anything of that size is allocated or written. */
import { InputError } from '../contracts/errors.js';
import type { Experiment, Model, SplitRows } from '../contracts/types.js';
import { sizeOf } from '../tensors/params.js';
import { countBatches, countSteps } from './budget.js';

/** With two optimizer moments per parameter, a checkpoint stays below the 2 GiB limit of one write. */
const MOST_PARAMETERS = 2 ** 27;
/** Steps and tensor indices are int32 in a program. */
const INT32 = 2 ** 31 - 1;

const write = (count: number): string => count.toLocaleString('en-US');

/** Errors name the model `subject`. @throws InputError when `count` parameters are too many for a checkpoint. */
export function checkParameterCount(subject: string, count: number): void {
  if (count > MOST_PARAMETERS)
    throw new InputError(
      `${subject}: must have at most ${write(MOST_PARAMETERS)} parameters (a checkpoint stores three numbers for each), got ${write(count)}; choose smaller sizes`,
    );
}

/** @throws InputError when a run has too many steps or its model has too large a value. */
export function checkRunSizes(
  { model: { use }, batch, epochs, steps }: Experiment,
  split: SplitRows,
  model: Model,
): void {
  const batches = countBatches(batch, split.train.length);
  const total = countSteps(
    { ...(steps === undefined ? { epochs: epochs ?? 0 } : { steps }) },
    batches,
  );
  if (total > INT32)
    throw new InputError(
      `experiment: a run must have at most ${write(INT32)} steps, got ${write(total)}: ${epochs} epochs of ${batches.perEpoch}; train fewer epochs`,
    );
  const values = [
    ...model.sites().map(({ name, shape }) => [name, [batches.size, ...shape]] as const),
    ...Object.entries(model.dropoutMaskShapes(batches.size)),
  ];
  for (const [name, shape] of values)
    if (sizeOf(shape) > INT32)
      throw new InputError(
        `model "${use}": "${name}" must have at most ${write(INT32)} values per batch, got ${write(sizeOf(shape))} for shape [${shape}]; choose a smaller batch or smaller sizes`,
      );
}
