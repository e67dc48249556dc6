/**
 * Records a run: writes each event of the loop to the run folder, then notifies listeners. A
 * store's failure stops the run; a listener's never does.
 */
import { isInputError, isRunError, RunError } from '../contracts/errors.js';
import { canonicalJson, paramsSha256 } from '../contracts/hash.js';
import type { Manifest, MetricsRow, RunEvent } from '../contracts/types.js';
import { withoutAuxiliary } from '../tensors/params.js';
import type { TrainingEvent } from '../training/training.js';
import type { RunHost } from './host.js';
import { createListeners, type Listeners } from './listeners.js';
import { createManifest, type Progress, type RunParts } from './manifest.js';
import {
  appendEvent,
  appendMetrics,
  findConfig,
  readMetrics,
  saveCheckpoint,
  saveState,
  writeAnalysis,
  writeConfig,
  writeManifest,
} from './run-folder.js';

/** A run being recorded. */
export interface Recording {
  readonly host: RunHost;
  readonly parts: RunParts;
  readonly history: MetricsRow[];
  manifest: Manifest;
  /** Position of the run at the last event. */
  at: { readonly epoch: number; readonly step: number };
  listeners?: Listeners;
  /** Whether the folder has the run's `config.json`. */
  isBegun: boolean;
  /** Whether an event is being written; appending after a partial line would make both lines unreadable. */
  isWriting: boolean;
}

/** Creates the recording of a run; `from` is where a resumed run continues. */
export function createRecording(host: RunHost, parts: RunParts, from?: Progress): Recording {
  const progress = from ?? { history: [], states: [] };
  return {
    host,
    parts,
    history: [...progress.history],
    manifest: createManifest(host, parts, progress),
    at: progress.checkpoint?.position ?? { epoch: 0, step: 0 },
    isBegun: from !== undefined,
    isWriting: false,
  };
}

/** Writes `config.json` if it does not exist, notifies listeners and trackers, and forwards notices. */
export async function beginRecording(
  recording: Recording,
  notices: readonly string[],
): Promise<void> {
  const { host, manifest, parts } = recording;
  const { experiment, execution } = parts;
  if (!recording.isBegun)
    await writeConfig(host.store, experiment, { ...manifest.execution, ...execution });
  recording.isBegun = true;
  recording.listeners = await createListeners(host.listeners ?? [], host.trackers ?? {}, {
    run: manifest.run,
    slug: manifest.slug,
    experiment,
    ...(execution.study === undefined ? {} : { study: execution.study }),
    ...{ where: host.store.where, store: host.store },
  });
  for (const message of notices) await emit(recording, { type: 'notice', message });
}

type EventsByType = { [E in TrainingEvent as E['type']]: E };
type Handlers = {
  readonly [T in keyof EventsByType]: (r: Recording, event: EventsByType[T]) => Promise<void>;
};
const handlers: Handlers = {
  async start(recording, event) {
    await update(recording, { status: 'running', parameters: event.parameters });
    await emit(recording, event);
  },
  async step(recording, event) {
    recording.at = event;
    recording.listeners?.notify(event);
  },
  async epoch(recording, event) {
    await appendMetrics(recording.host.store, event.row);
    recording.history.push(event.row);
    recording.at = event.row;
    recording.listeners?.notify(event);
  },
  crossing: emit,
  notice: emit,
  async analysis(recording, event) {
    const { epoch, step, name, moment, result } = event;
    await writeAnalysis(recording.host.store, name, moment, { epoch, step, result });
    recording.listeners?.notify(event);
  },
  async state(recording, { checkpoint }) {
    const { epoch, step } = checkpoint.position;
    const file = await saveState(recording.host.store, checkpoint, describeRun(recording));
    await emit(recording, { type: 'state', epoch, step, file });
    const states = new Set([...(recording.manifest.states ?? []), step]);
    await update(recording, { states: [...states] });
  },
  async checkpoint(recording, { checkpoint, pinned }) {
    const { epoch, step } = checkpoint.position;
    await checkFolder(recording);
    const about = describeRun(recording);
    const file = await saveCheckpoint(recording.host.store, checkpoint, { pinned, about });
    await emit(recording, { type: 'checkpoint', epoch, step, file, pinned });
    const hash = paramsSha256(withoutAuxiliary(checkpoint.params));
    await update(recording, { epoch, step, paramsSha256: hash });
  },
};

/**
 * Metadata for a run's checkpoints: the experiment without its length, as in its id, and the layout
 * of the model's parameters.
 */
function describeRun({ parts }: Recording): Readonly<Record<string, string>> {
  const { epochs: _epochs, steps: _steps, ...experiment } = parts.experiment;
  const { conventions = '' } = parts.composed.model;
  return {
    experiment: canonicalJson(experiment),
    ...(conventions === '' ? {} : { conventions }),
  };
}

/** Writes an event of the loop to the folder, then notifies listeners. */
export async function recordEvent<T extends keyof EventsByType>(
  recording: Recording,
  event: EventsByType[T] & { readonly type: T },
): Promise<void> {
  await handlers[event.type](recording, event);
}

/** @throws RunError when the folder no longer belongs to this run: it was removed or replaced during training. */
async function checkFolder({ host: { store }, manifest }: Recording): Promise<void> {
  const config = await findConfig(store);
  if (config?.run !== manifest.run)
    throw new RunError(
      `${store.where}: ${config === undefined ? 'config.json is missing' : 'contains another run now'}; it was removed or replaced during the run`,
    );
}

/** Records how the loop ended. */
export async function recordEnd(
  recording: Recording,
  status: 'finished' | 'interrupted',
): Promise<void> {
  const { epoch, step } = recording.at;
  const { host, history } = recording;
  await checkFolder(recording);
  const written = await readMetrics(host.store);
  if (written.length !== history.length)
    throw new RunError(
      `${host.store.where}/metrics.jsonl: has ${written.length} rows, ${history.length} were written; another program changed it during the run`,
    );
  await emit(recording, { type: 'end', epoch, step, status });
  await update(recording, { status });
}

/** Records that a run failed, as far as the store allows; returns the error to throw. */
export async function recordFailure(recording: Recording, error: unknown): Promise<Error> {
  const failure = describeFailure(error, recording.isBegun);
  if (!recording.isBegun) return failure;
  const { message } = failure;
  const { epoch, step } = recording.at;
  try {
    await checkFolder(recording);
    if (!recording.isWriting)
      await emit(recording, { type: 'end', epoch, step, status: 'failed', error: message });
    await update(recording, { status: 'failed', error: message });
  } catch {
    // The store itself failed: it holds the last good state, and the first error says why.
  }
  return failure;
}

/** Once files are written, any error counts as a failed run, whatever its cause. */
function describeFailure(error: unknown, isBegun: boolean): Error {
  if (isRunError(error) || (isInputError(error) && !isBegun)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const text = isInputError(error) ? message : `the run failed: ${message}`;
  return new RunError(text, { cause: error });
}

/** Appends an event to `events.jsonl`, then notifies listeners. */
async function emit(recording: Recording, event: RunEvent): Promise<void> {
  recording.isWriting = true;
  await appendEvent(recording.host.store, event);
  recording.isWriting = false;
  recording.listeners?.notify(event);
}

async function update(recording: Recording, changes: Partial<Manifest>): Promise<void> {
  const { host, history } = recording;
  const peakMemoryBytes = host.peakMemoryBytes?.();
  recording.manifest = {
    ...recording.manifest,
    ...changes,
    seconds: history.reduce((sum, row) => sum + row.time.seconds, 0),
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }),
  };
  await writeManifest(host.store, recording.manifest);
}
