/**
 * A run's folder, over any store: `config.json` first, then `manifest.json`, `metrics.jsonl` and
 * `events.jsonl` (a line an epoch or event), `checkpoints/` and `analysis/`. Whatever moment a run
 * is killed at, `newestCheckpoint` and `cutBack` lead to a state that it has been in.
 */
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
import { InputError, isRunError, RunError } from '../contracts/errors.js';
import { canonicalJson, experimentHash } from '../contracts/hash.js';
import type {
  Checkpoint,
  Execution,
  Experiment,
  Json,
  Manifest,
  MetricsRow,
  RunEvent,
  Store,
} from '../contracts/types.js';

/** What `config.json` holds: the experiment, and its hash as the run's id. */
export interface RunConfig {
  readonly format: 'grok run 2';
  readonly run: string;
  readonly experiment: Experiment;
  /** How the run was first carried out: not part of its id, and what a resumed run keeps to. */
  readonly execution: Execution;
}

/** Writes `config.json`, synced: the first file of a run. */
export async function writeConfig(
  store: Store,
  experiment: Experiment,
  execution: Execution = {},
): Promise<RunConfig> {
  canonicalJson(experiment); // throws on what JSON would silently change
  const run = experimentHash(experiment);
  const config: RunConfig = { format: 'grok run 2', run, experiment, execution };
  await writeJson(store, 'config.json', config);
  return config;
}

/** `config.json`, or undefined in a folder without one. @throws InputError when it is not ours or was edited. */
export async function findConfig(store: Store): Promise<RunConfig | undefined> {
  const config = (await readJson(store, 'config.json')) as RunConfig | undefined;
  if (config === undefined) return undefined;
  if ((config?.format as string) === 'grok run 1')
    throw new InputError(
      `${store.where}: its config.json has the format "grok run 1", whose ids count the epochs, and this version reads "grok run 2"; re-key the folder with scripts/rekey.mjs`,
    );
  if (config?.format !== 'grok run 2' || typeof config.experiment !== 'object')
    throw new InputError(
      `${store.where}: its config.json is not of a grok run; give the folder of a run`,
    );
  if (config.run !== experimentHash(config.experiment))
    throw new InputError(
      `${store.where}: config.json was edited after the run began (its hash says ${config.run.slice(0, 10)}); undo the edit, or start a new run in another folder`,
    );
  return config;
}

/** `config.json`. @throws InputError when the folder is missing or not a run's. */
export async function readConfig(store: Store): Promise<RunConfig> {
  const config = await findConfig(store);
  if (config === undefined)
    throw new InputError(
      `${store.where}: no run is here (no config.json); give the folder of a run`,
    );
  return config;
}

/** @throws InputError when a run's files are left in a folder without its `config.json`. */
export async function checkVacant(store: Store): Promise<void> {
  const left = [
    ...(await store.list('')).filter((name) => /^(metrics|events)\.jsonl$/.test(name)),
    ...(await listCheckpoints(store)).map(checkpointFile),
  ];
  if (left.length > 0)
    throw new InputError(
      `${store.where}: has ${left[0]} of a run but no config.json; restore that, or choose another folder`,
    );
}

/** Replaces `manifest.json`, atomically. */
export async function writeManifest(store: Store, manifest: Manifest): Promise<void> {
  await writeJson(store, 'manifest.json', manifest);
}
/** `manifest.json`, or undefined where there is none yet. @throws InputError when it is no run's. */
export async function readManifest(store: Store): Promise<Manifest | undefined> {
  const remedy = 'restore it, or remove it and resume the run';
  const manifest = (await readJson(store, 'manifest.json', remedy)) as Manifest | undefined;
  if (manifest !== undefined && manifest?.format !== 'grok manifest 1')
    throw new InputError(`${store.where}/manifest.json: is not of a grok run; ${remedy}`);
  return manifest;
}

/** Adds an epoch to `metrics.jsonl`; numbers that are not finite become null, as JSON has it. */
export async function appendMetrics(store: Store, row: MetricsRow): Promise<void> {
  await store.append('metrics.jsonl', encode(`${JSON.stringify(row)}\n`));
}
/**
 * All epochs of `metrics.jsonl`; a torn last line is left out. @throws RunError that names a bad line, or
 * says that the last rows of a finished run, whose manifest is given, are missing.
 */
export async function readMetrics(
  store: Store,
  manifest?: Manifest,
): Promise<readonly MetricsRow[]> {
  const rows = (await lines(store, 'metrics.jsonl')).map(({ value }) => value as MetricsRow);
  const last = rows.at(-1)?.epoch ?? 0;
  if (manifest?.status === 'finished' && last !== manifest.epoch)
    throw new RunError(
      `${store.where}/metrics.jsonl: ends at epoch ${last}, and the run at ${manifest.epoch}; restore the file, or train it again in another folder`,
    );
  return rows;
}
/** Adds an event to `events.jsonl`. */
export async function appendEvent(store: Store, event: RunEvent): Promise<void> {
  await store.append('events.jsonl', encode(`${JSON.stringify(event)}\n`));
}
/** All events of `events.jsonl`; a torn last line is left out. @throws RunError that names a bad line. */
export async function readEvents(store: Store): Promise<readonly RunEvent[]> {
  return (await lines(store, 'events.jsonl')).map(({ value }) => value as RunEvent);
}

/**
 * Takes a folder back to a checkpoint: metrics and events end before the first line of a later step
 * (a torn last line goes too), and checkpoints of later steps, which were passed over, are removed.
 */
export async function cutBack(store: Store, step: number): Promise<void> {
  for (const path of ['metrics.jsonl', 'events.jsonl']) {
    const all = await lines(store, path);
    const after = all.findIndex(({ value }) => (stepOf(value) ?? 0) > step);
    await store.truncate(path, (after === -1 ? all : all.slice(0, after)).at(-1)?.end ?? 0);
  }
  for (const later of (await listCheckpoints(store)).filter((s) => s > step))
    await store.remove(checkpointFile(later));
}

/** `checkpoints/step-000900.safetensors`. */
export function checkpointFile(step: number): string {
  return `checkpoints/step-${String(step).padStart(6, '0')}.safetensors`;
}
/** Steps that have a checkpoint's file, ascending; it may be damaged. */
export async function listCheckpoints(store: Store): Promise<readonly number[]> {
  return (await store.list('checkpoints'))
    .map((name) => /^step-(\d{6,})\.safetensors$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Writes a checkpoint, then removes older ones but the newest `keep` (at least 2) and the pinned.
 * Returns its file's name.
 */
export async function saveCheckpoint(
  store: Store,
  checkpoint: Checkpoint,
  { pinned = false, keep = 2 }: { pinned?: boolean; keep?: number } = {},
): Promise<string> {
  const { step } = checkpoint.position;
  const pins = ((await readJson(store, 'checkpoints/pinned.json')) ?? []) as number[];
  // The pin first: killed between the two, a resumed run comes by here again; the other way it would not.
  if (pinned && !pins.includes(step)) {
    pins.push(step);
    await writeJson(store, 'checkpoints/pinned.json', pins);
  }
  await store.write(checkpointFile(step), encodeCheckpoint(checkpoint));
  for (const old of (await listCheckpoints(store)).slice(0, -Math.max(2, keep)))
    if (!pins.includes(old)) await store.remove(checkpointFile(old));
  return checkpointFile(step);
}

/** The checkpoint of a step. @throws InputError when there is none, RunError when it is damaged or another run's. */
export async function readCheckpoint(store: Store, step: number): Promise<Checkpoint> {
  const file = checkpointFile(step);
  const bytes = await store.read(file);
  if (bytes === undefined) {
    const known = await listCheckpoints(store);
    throw new InputError(
      `${store.where}: no checkpoint of step ${step}; there are ${known.join(', ') || 'none'}`,
    );
  }
  const checkpoint = decodeCheckpoint(bytes, `${store.where}/${file}`);
  if (checkpoint.position.step !== step)
    throw new RunError(
      `checkpoint ${store.where}/${file}: is of step ${checkpoint.position.step}; it was renamed`,
    );
  const config = await findConfig(store);
  if (config !== undefined && config.run !== checkpoint.run)
    throw new RunError(
      `checkpoint ${store.where}/${file}: is of run ${checkpoint.run.slice(0, 10)}, this folder is run ${config.run.slice(0, 10)}'s; it was copied here`,
    );
  return checkpoint;
}

/** A checkpoint's file that cannot be used, and why. */
export interface DamagedCheckpoint {
  readonly file: string;
  readonly reason: string;
}
/** The newest checkpoint that can be used, and those that had to be passed over, newest first. */
export async function newestCheckpoint(store: Store): Promise<{
  readonly checkpoint: Checkpoint | undefined;
  readonly damaged: readonly DamagedCheckpoint[];
}> {
  const damaged: DamagedCheckpoint[] = [];
  for (const step of (await listCheckpoints(store)).toReversed())
    try {
      return { checkpoint: await readCheckpoint(store, step), damaged };
    } catch (error) {
      if (!isRunError(error)) throw error;
      damaged.push({ file: checkpointFile(step), reason: error.message });
    }
  return { checkpoint: undefined, damaged };
}

/** Writes `analysis/<name>-<moment>.json`. */
export async function writeAnalysis(
  store: Store,
  name: string,
  moment: string,
  found: Json,
): Promise<void> {
  await writeJson(store, `analysis/${name}-${moment}.json`, found);
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function writeJson(store: Store, path: string, value: unknown): Promise<void> {
  await store.write(path, encode(`${JSON.stringify(value, null, 2)}\n`));
}
async function readJson(
  store: Store,
  path: string,
  remedy = 'restore it or use another folder',
): Promise<unknown> {
  const bytes = await store.read(path);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new InputError(
      `${store.where}/${path}: must be JSON (${(error as Error).message}); ${remedy}`,
    );
  }
}

/** Whole lines of a file as JSON, and the byte after each. */
async function lines(
  store: Store,
  path: string,
): Promise<readonly { value: unknown; end: number }[]> {
  const bytes = (await store.read(path)) ?? new Uint8Array();
  const out: { value: unknown; end: number }[] = [];
  for (let start = 0, end = 0; ; start = end) {
    end = bytes.indexOf(10, start) + 1;
    if (end === 0) return out;
    try {
      out.push({ value: JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))), end });
    } catch {
      throw new RunError(
        `${store.where}/${path}: line ${out.length + 1} is not JSON; restore the file, or cut it off before that line and resume`,
      );
    }
  }
}

/** The step that a line of metrics or events tells of, if any. */
function stepOf(line: unknown): number | undefined {
  const { step, row, from } = line as { step?: number; row?: MetricsRow; from?: { step: number } };
  return step ?? row?.step ?? from?.step;
}
