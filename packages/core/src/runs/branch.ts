/** Branches a run from a state of another: the same bits up to that step, another experiment after it. */
import { InputError } from '../contracts/errors.js';
import { experimentHash, paramsSha256 } from '../contracts/hash.js';
import type { Checkpoint, Store } from '../contracts/types.js';
import { withoutAuxiliary } from '../tensors/params.js';
import { resolveExecution } from './execution.js';
import type { RunHost, RunResult } from './host.js';
import { resumeRun, startRun } from './run.js';
import {
  appendMetrics,
  checkVacant,
  findConfig,
  listCheckpoints,
  readCheckpoint,
  readConfig,
  readMetrics,
  saveCheckpoint,
  writeConfig,
} from './run-folder.js';
import { checkSpec } from './spec.js';

/** Where a branch starts. */
export interface BranchPoint {
  /** Folder of the parent run. */
  readonly store: Store;
  /** A step at the end of an epoch that has a checkpoint. */
  readonly step: number;
}

/**
 * Runs a specification from a checkpoint of another run: with its parameters, optimizer state, epoch and rows.
 * The branch's experiment names the parent, so it has an id of its own; called again, it continues the branch.
 * @throws InputError if there is no such checkpoint, or if the store has another run; otherwise as `startRun`.
 */
export async function branchRun(
  spec: unknown,
  host: RunHost,
  from: BranchPoint,
): Promise<RunResult> {
  const { experiment: own, execution = {} } = checkSpec(spec);
  const parent = await readConfig(from.store);
  const checkpoint = await readCheckpoint(from.store, from.step);
  if (checkpoint.position.batch !== 0)
    throw new InputError(
      `${from.store.where}: step ${from.step} is in the middle of an epoch; branch at the end of one`,
    );
  const hash = paramsSha256(withoutAuxiliary(checkpoint.params));
  const reference = { run: parent.run, paramsSha256: hash, step: from.step };
  const experiment = { ...own, parent: reference };
  const { store } = host;
  const run = experimentHash(experiment);
  const found = await findConfig(store);
  const isCopied = (await listCheckpoints(store)).length > 0;
  if (found !== undefined && (found.run !== run || isCopied))
    return startRun({ experiment, execution }, host);
  if (found === undefined) {
    await checkVacant(store);
    const resolved = resolveExecution({ flags: execution, defaults: host.defaults ?? {} });
    await writeConfig(store, experiment, resolved);
  }
  await copyState(store, from, { ...checkpoint, run });
  return resumeRun(host, execution);
}

/** Copies the rows, then the state: if the state is missing, the copy was interrupted and starts over. */
async function copyState(store: Store, from: BranchPoint, checkpoint: Checkpoint): Promise<void> {
  await store.truncate('metrics.jsonl', 0);
  for (const row of await readMetrics(from.store))
    if (row.step <= from.step) await appendMetrics(store, row);
  await saveCheckpoint(store, checkpoint, { pinned: true });
}
