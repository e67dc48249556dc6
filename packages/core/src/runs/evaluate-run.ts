/** Evaluates a run's newest checkpoint on rows of its task, for `grok eval`. */
import { InputError } from '../contracts/errors.js';
import type { Execution, Score } from '../contracts/types.js';
import { withoutAuxiliary } from '../tensors/params.js';
import { evaluateParams } from '../training/evaluate.js';
import { data, openBackend } from './compose.js';
import { resolveExecution } from './execution.js';
import type { RunHost } from './host.js';
import { type DamagedCheckpoint, newestCheckpoint, readConfig } from './run-folder.js';

/** Mean loss (nats) and accuracy (0–1), and the rows and step they were measured on. */
export interface RunScore extends Score {
  readonly rows: number;
  readonly step: number;
  readonly epoch: number;
  readonly backend: string;
  /** Newer checkpoints that could not be read, with the reasons. */
  readonly damaged: readonly DamagedCheckpoint[];
}

/** Loss and accuracy of a run's newest checkpoint over its training, validation or all rows. */
export async function evaluateRun(
  host: Pick<RunHost, 'registry' | 'store'>,
  on: 'train' | 'validation' | 'all',
  execution: Execution = {},
): Promise<RunScore> {
  const config = await readConfig(host.store);
  const { task, split, model } = data(config.experiment, host.registry);
  const { checkpoint, damaged } = await newestCheckpoint(host.store);
  if (checkpoint === undefined)
    throw new InputError(`${host.store.where}: has no readable checkpoint; resume it`);
  const rows = on === 'all' ? Int32Array.from(task.labels.keys()) : split[on];
  const backend = await openBackend(
    host.registry,
    resolveExecution({ flags: execution, file: config.execution }),
  );
  try {
    const params = withoutAuxiliary(checkpoint.params);
    const score = await evaluateParams(backend, { model, params }, task, rows);
    const { step, epoch } = checkpoint.position;
    return { ...score, rows: rows.length, step, epoch, backend: backend.name, damaged };
  } finally {
    await backend.dispose();
  }
}
