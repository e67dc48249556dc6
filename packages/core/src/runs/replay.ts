/**
 * Reconstructs any step of a run: read from a checkpoint if there is one, otherwise trained again
 * from the nearest earlier one. Every random stream is a function of (seed, stream, step), so a
 * replayed state has the same bits as in the original run.
 */

import { InputError, isRunError, RunError } from '../contracts/errors.js';
import type { Checkpoint, Store } from '../contracts/types.js';
import { train } from '../training/trainer.js';
import type { TrainingEvent } from '../training/training.js';
import { composeExperiment, openBackend } from './compose.js';
import type { RunHost } from './host.js';
import {
  listCheckpoints,
  readCheckpoint,
  readConfig,
  readManifest,
  readMetrics,
} from './run-folder.js';

/** A state of a run, and the step that it was replayed from; both are the same for a stored step. */
export interface Replayed {
  readonly checkpoint: Checkpoint;
  readonly from: number;
}

/** What a replay needs. */
type ReplayHost = Pick<RunHost, 'registry' | 'store' | 'teacherStores' | 'signal'>;

/**
 * Returns the state of a run after `step` optimizer steps, on the backend that the run used;
 * it writes nothing. On a backend that is not bit-exact, the bits may differ.
 * @throws InputError when the run has not reached that step, or a teacher's folder is missing.
 */
export async function replayTo(host: ReplayHost, step: number): Promise<Replayed> {
  const { store } = host;
  const manifest = await readManifest(store);
  const rows = await readMetrics(store);
  // An unfinished run has rows beyond its last checkpoint.
  const [kept = 0] = (await listCheckpoints(store)).slice(-1);
  checkReached(store, step, Math.max(manifest?.step ?? 0, rows.at(-1)?.step ?? 0, kept));
  return replayReached(host, step);
}

/** As `replayTo`, for a step that the run is known to have reached, even if no file says so yet. */
export async function replayReached(host: ReplayHost, step: number): Promise<Replayed> {
  const { store, registry, teacherStores = {} } = host;
  const start = await nearest(host, step);
  const from = start?.position.step ?? 0;
  if (start !== undefined && from === step) return { checkpoint: start, from };

  const { run, experiment, execution } = await readConfig(store);
  const manifest = await readManifest(store);
  const rows = await readMetrics(store);
  // Probes, stop conditions and requirements change none of the steps.
  const { probes: _p, stop: _s, require: _r, ...plain } = experiment;
  const composed = await composeExperiment(plain, registry, teacherStores);
  const backend = await openBackend(registry, { ...execution, ...manifest?.execution });
  const stop = new AbortController();
  if (from === step) stop.abort();
  try {
    const history = rows.filter((row) => row.step <= from);
    const loop = train(
      {
        ...plain,
        ...composed,
        run,
        backend,
        recordedSteps: new Set(),
        checkpointEvery: Number.POSITIVE_INFINITY,
        now: () => 0,
      },
      start && { checkpoint: start, history },
      stop.signal,
    );
    const checkpoint = await awaitStep(loop, step, stop, host.signal);
    if (checkpoint !== undefined) return { checkpoint, from };
    throw new RunError(`${store.where}: the replay did not reach step ${step}`);
  } finally {
    await backend.dispose();
  }
}

/** Continues a run to the end of a step, stops it there and returns its state. */
async function awaitStep(
  loop: AsyncIterable<TrainingEvent>,
  step: number,
  stop: AbortController,
  signal: AbortSignal | undefined,
): Promise<Checkpoint | undefined> {
  for await (const event of loop) {
    if (signal?.aborted) throw new RunError('the replay was interrupted');
    if (event.type === 'step' && event.step === step) stop.abort();
    if (event.type === 'checkpoint' && event.checkpoint.position.step === step)
      return event.checkpoint;
  }
  return undefined;
}

function checkReached({ where }: Store, step: number, reached: number): void {
  if (!Number.isInteger(step) || step < 0 || step > reached)
    throw new InputError(
      `${where}: step ${step} is not a step of the run; give one from 0 to ${reached}`,
    );
}

/** The newest readable checkpoint at or before `step`. */
async function nearest(
  { store }: Pick<RunHost, 'store'>,
  step: number,
): Promise<Checkpoint | undefined> {
  for (const at of (await listCheckpoints(store)).filter((s) => s <= step).toReversed())
    try {
      return await readCheckpoint(store, at);
    } catch (error) {
      if (!isRunError(error)) throw error;
    }
  return undefined;
}
