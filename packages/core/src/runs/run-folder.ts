/**
 * A run folder, on any store: `config.json` is written first, then `manifest.json`, `metrics.jsonl`
 * and `events.jsonl` (one line per epoch or event), `checkpoints/` and `analysis/`. Whenever a run
 * is killed, `newestCheckpoint` and `cutBack` restore a state that it has been in.
 */

import { type DocumentKind, type Line, readDocument, readLines } from '../contracts/documents.js';
import { InputError, isRunError, RunError } from '../contracts/errors.js';
import { canonicalJson, experimentHash } from '../contracts/hash.js';
import {
  manifestSchema,
  metricsRowSchema,
  pinnedSchema,
  type RunConfig,
  runConfigSchema,
  runEventSchema,
} from '../contracts/run-files.js';
import type {
  Checkpoint,
  Execution,
  Experiment,
  Json,
  Manifest,
  MetricsRow,
  Position,
  RunEvent,
  Store,
} from '../contracts/types.js';
import { checkParamsHash, decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';

const RESTORE = 'restore it, or choose another folder';
const CONFIG: DocumentKind<RunConfig> = {
  schema: runConfigSchema,
  remedy: 'give the folder of a run',
  older: {
    'grok run 1':
      'its run ids include the number of epochs: convert the folder with scripts/rekey.mjs',
  },
};
const MANIFEST: DocumentKind<Manifest> = {
  schema: manifestSchema,
  remedy: 'restore it, or remove it and resume the run',
};
const PINNED: DocumentKind<readonly number[]> = { schema: pinnedSchema, remedy: RESTORE };
const CUT = {
  remedy: 'restore the file, or truncate it before that line and resume',
  fail: (message: string): Error => new RunError(message),
};
const METRICS: DocumentKind<MetricsRow> = { schema: metricsRowSchema, ...CUT };
const EVENTS: DocumentKind<RunEvent> = { schema: runEventSchema, ...CUT };

/** Writes and syncs `config.json`, the first file of a run. */
export async function writeConfig(
  store: Store,
  experiment: Experiment,
  execution: Execution = {},
): Promise<RunConfig> {
  canonicalJson(experiment); // throws on values that JSON would silently change
  const run = experimentHash(experiment);
  const config: RunConfig = { format: 'grok run 2', run, experiment, execution };
  await writeJson(store, 'config.json', config);
  return config;
}

/** Parses the text of a `config.json`. @throws InputError that names `where`, the line and the key. */
export function parseConfig(bytes: Uint8Array, where: string): RunConfig {
  return readDocument(bytes, where, CONFIG);
}

/** Reads `config.json`; undefined if the folder has none. @throws InputError when it is not valid or was edited. */
export async function findConfig(store: Store): Promise<RunConfig | undefined> {
  const config = await readJson(store, 'config.json', CONFIG);
  if (config === undefined) return undefined;
  if (config.run !== experimentHash(config.experiment))
    throw new InputError(
      `${store.where}: config.json was edited after the run began (its hash is ${config.run.slice(0, 10)}); undo the edit, or start a new run in another folder`,
    );
  return config;
}

/** Reads `config.json`. @throws InputError if the folder is missing or is not a run folder. */
export async function readConfig(store: Store): Promise<RunConfig> {
  const config = await findConfig(store);
  if (config === undefined)
    throw new InputError(
      `${store.where}: not a run folder (config.json missing); give the folder of a run`,
    );
  return config;
}

/** @throws InputError when a folder has files of a run but no `config.json`. */
export async function checkVacant(store: Store): Promise<void> {
  const left = [
    ...(await store.list('')).filter((name) => /^(metrics|events)\.jsonl$/.test(name)),
    ...(await listCheckpoints(store)).map(checkpointFile),
  ];
  if (left.length > 0)
    throw new InputError(
      `${store.where}: has a run's ${left[0]} but no config.json; restore it, or choose another folder`,
    );
}

/** Replaces `manifest.json`, atomically. */
export async function writeManifest(store: Store, manifest: Manifest): Promise<void> {
  await writeJson(store, 'manifest.json', manifest);
}
/** Reads `manifest.json`; undefined if there is none yet. @throws InputError if it is not that of a run. */
export async function readManifest(store: Store): Promise<Manifest | undefined> {
  return readJson(store, 'manifest.json', MANIFEST);
}

/** Appends an epoch to `metrics.jsonl`; numbers that are not finite become null. */
export async function appendMetrics(store: Store, row: MetricsRow): Promise<void> {
  await store.append('metrics.jsonl', encode(`${JSON.stringify(row)}\n`));
}
/**
 * Reads all epochs of `metrics.jsonl`, without an incomplete last line.
 * @throws RunError that names an invalid line, or rows missing between others or before the saved position.
 */
export async function readMetrics(
  store: Store,
  saved?: Manifest | Position,
): Promise<readonly MetricsRow[]> {
  const rows = (await lines(store, 'metrics.jsonl', METRICS)).map(({ value }) => value);
  const config = await findConfig(store);
  checkOrder(rows, store);
  const last = rows.at(-1);
  const manifest = saved !== undefined && 'status' in saved ? saved : undefined;
  if (manifest?.status === 'finished' && (last?.step ?? 0) !== manifest.step)
    throw new RunError(
      `${store.where}/metrics.jsonl: ends at epoch ${last?.epoch ?? 0}, the run at epoch ${manifest.epoch}; restore the file, or train again in another folder`,
    );
  if (config !== undefined) checkWhole(rows, config.experiment, store, saved);
  return rows;
}
/** Appends an event to `events.jsonl`. */
export async function appendEvent(store: Store, event: RunEvent): Promise<void> {
  await store.append('events.jsonl', encode(`${JSON.stringify(event)}\n`));
}
/** All events of `events.jsonl`, without a partial last line. @throws RunError that names a bad line. */
export async function readEvents(store: Store): Promise<readonly RunEvent[]> {
  return (await lines(store, 'events.jsonl', EVENTS)).map(({ value }) => value);
}

/**
 * Truncates a folder to a checkpoint: metrics and events end before the first line of a later step,
 * a partial last line is dropped, and checkpoints and recorded states of later steps are removed.
 * With `withRow` false, the row, crossing and end of the checkpoint's own step are removed too.
 */
export async function cutBack(
  store: Store,
  step: number,
  {
    withRow = true,
    pinned = false,
  }: { readonly withRow?: boolean; readonly pinned?: boolean } = {},
): Promise<void> {
  const rows = await lines(store, 'metrics.jsonl', METRICS);
  const end = withRow ? step : step - 1;
  await cutFile(store, 'metrics.jsonl', rows, (row) => row.step > end);
  const events = await lines(store, 'events.jsonl', EVENTS);
  await cutFile(store, 'events.jsonl', events, (event) => {
    const limit = event.type === 'crossing' || event.type === 'end' ? end : step;
    return (readStep(event) ?? 0) > limit;
  });
  for (const later of (await listCheckpoints(store)).filter((s) => s > step))
    await store.remove(checkpointFile(later));
  for (const later of (await listStates(store)).filter((s) => s > step))
    await store.remove(stateFile(later));
  // The crossing was in that row only; what was pinned for its step itself stays.
  if (!withRow && !pinned) await unpin(store, step);
}

async function unpin(store: Store, step: number): Promise<void> {
  const pins = (await readJson(store, 'checkpoints/pinned.json', PINNED)) ?? [];
  if (!pins.includes(step)) return;
  const others = pins.filter((pin) => pin !== step);
  await writeJson(store, 'checkpoints/pinned.json', others);
}

/** Truncates a file before the first line that comes after the end point. */
async function cutFile<T>(
  store: Store,
  path: string,
  all: readonly Line<T>[],
  isAfter: (line: T) => boolean,
): Promise<void> {
  const after = all.findIndex(({ value }) => isAfter(value));
  await store.truncate(path, (after === -1 ? all : all.slice(0, after)).at(-1)?.end ?? 0);
}

/** The step that an event refers to, if any. */
function readStep(event: RunEvent): number | undefined {
  if ('step' in event) return event.step;
  if ('row' in event) return event.row.step;
  return 'from' in event ? event.from.step : undefined;
}

/** `checkpoints/step-000900.safetensors`. */
export function checkpointFile(step: number): string {
  return `checkpoints/step-${String(step).padStart(6, '0')}.safetensors`;
}
/** Steps that have a checkpoint file, ascending; the file may be damaged. */
export async function listCheckpoints(store: Store): Promise<readonly number[]> {
  return listSteps(store, 'checkpoints');
}

/** `states/step-000900.safetensors`. */
export function stateFile(step: number): string {
  return checkpointFile(step).replace('checkpoints', 'states');
}
/** Steps whose parameters are recorded, ascending. */
export async function listStates(store: Store): Promise<readonly number[]> {
  return listSteps(store, 'states');
}
/** Writes the parameters of a step for later analyses: a checkpoint without optimizer state. Returns the file name. */
export async function saveState(
  store: Store,
  checkpoint: Checkpoint,
  about?: Readonly<Record<string, string>>,
): Promise<string> {
  const file = stateFile(checkpoint.position.step);
  await store.write(file, encodeCheckpoint({ ...checkpoint, state: {} }, about));
  return file;
}
/** The recorded parameters of a step. @throws as `readCheckpoint`. */
export async function readState(store: Store, step: number): Promise<Checkpoint> {
  return readStateFile(store, step, stateFile(step), listStates);
}

async function listSteps(store: Store, folder: string): Promise<readonly number[]> {
  return (await store.list(folder))
    .map((name) => /^step-(\d{6,})\.safetensors$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Options for keeping a checkpoint, and its metadata about the run. */
export interface SaveOptions {
  readonly pinned?: boolean;
  readonly keep?: number;
  readonly about?: Readonly<Record<string, string>>;
}

/** Writes a checkpoint and removes older ones except the newest `keep` (at least 2) and pinned ones. Returns its name. */
export async function saveCheckpoint(
  store: Store,
  checkpoint: Checkpoint,
  { pinned = false, keep = 2, about = {} }: SaveOptions = {},
): Promise<string> {
  const { step } = checkpoint.position;
  const pins = [...((await readJson(store, 'checkpoints/pinned.json', PINNED)) ?? [])];
  // The pin is written first: if the process is killed in between, the resumed run reaches this
  // point again; in the other order it would not.
  if (pinned && !pins.includes(step)) {
    pins.push(step);
    await writeJson(store, 'checkpoints/pinned.json', pins);
  }
  await store.write(checkpointFile(step), encodeCheckpoint(checkpoint, about));
  for (const old of (await listCheckpoints(store)).slice(0, -Math.max(2, keep)))
    if (!pins.includes(old)) await store.remove(checkpointFile(old));
  return checkpointFile(step);
}

/** Reads the checkpoint of a step. @throws InputError when there is none, RunError when damaged or another run's. */
export async function readCheckpoint(store: Store, step: number): Promise<Checkpoint> {
  return readStateFile(store, step, checkpointFile(step), listCheckpoints);
}

async function readStateFile(
  store: Store,
  step: number,
  file: string,
  list: (store: Store) => Promise<readonly number[]>,
): Promise<Checkpoint> {
  const bytes = await store.read(file);
  if (bytes === undefined) {
    const known = await list(store);
    throw new InputError(
      `${store.where}: no checkpoint of step ${step}; there are ${known.join(', ') || 'none'}`,
    );
  }
  const checkpoint = decodeCheckpoint(bytes, `${store.where}/${file}`);
  if (checkpoint.position.step !== step)
    throw new RunError(
      `checkpoint ${store.where}/${file}: holds step ${checkpoint.position.step}; the file was renamed`,
    );
  const config = await findConfig(store);
  if (config !== undefined && config.run !== checkpoint.run)
    throw new RunError(
      `checkpoint ${store.where}/${file}: belongs to run ${checkpoint.run.slice(0, 10)}, this folder to run ${config.run.slice(0, 10)}; the file was copied here`,
    );
  checkParamsHash(checkpoint, await readManifest(store), `${store.where}/${file}`);
  return checkpoint;
}

/** A checkpoint file that cannot be used, with the reason. */
export interface DamagedCheckpoint {
  readonly file: string;
  readonly reason: string;
}
/** The newest usable checkpoint, and the newer ones that were skipped, newest first. */
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

/** Writes indented JSON. */
export async function writeJson(store: Store, path: string, value: unknown): Promise<void> {
  await store.write(path, encode(`${JSON.stringify(value, null, 2)}\n`));
}
async function readJson<T>(
  store: Store,
  path: string,
  kind: DocumentKind<T>,
): Promise<T | undefined> {
  const bytes = await store.read(path);
  return bytes && readDocument(bytes, `${store.where}/${path}`, kind);
}

/** Complete lines of a file, and the offset of the byte after each. */
async function lines<T>(
  store: Store,
  path: string,
  kind: DocumentKind<T>,
): Promise<readonly Line<T>[]> {
  return readLines((await store.read(path)) ?? new Uint8Array(), `${store.where}/${path}`, kind);
}

/** @throws RunError when rows are duplicated or out of order, which means that two processes wrote them. */
function checkOrder(rows: readonly MetricsRow[], store: Store): void {
  const wrong = rows.findIndex((row, i) => row.epoch <= (rows[i - 1]?.epoch ?? 0));
  if (wrong !== -1)
    throw new RunError(
      `${store.where}/metrics.jsonl: line ${wrong + 1}: epoch ${rows[wrong]?.epoch} must come after epoch ${rows[wrong - 1]?.epoch}; ${CUT.remedy}`,
    );
}

/** Whether a run that does not end at this position has a row for it. */
export function leavesRow({ evalEvery = 1 }: Experiment, { epoch, batch }: Position): boolean {
  return batch === 0 && epoch % evalEvery === 0;
}

/**
 * Checks that a run has a row every `evalEvery` epochs and one at its end; rows copied from a
 * parent run follow the parent's intervals. @throws RunError when some are missing.
 */
function checkWhole(
  rows: readonly MetricsRow[],
  { evalEvery = 1, parent }: Experiment,
  { where }: Store,
  saved?: Pick<Position, 'epoch'>,
): void {
  const isInherited = ({ step }: MetricsRow): boolean => step <= (parent?.step ?? 0);
  const own = rows.filter((row) => !isInherited(row));
  const [first] = own;
  const inherited = rows.findLast(isInherited)?.epoch ?? 0;
  // The epoch at which the run left its parent may have no row.
  const left = first && parent ? Math.round((parent.step * first.epoch) / first.step) : 0;
  let before = Math.max(inherited, left);
  const next = (): number => (Math.floor(before / evalEvery) + 1) * evalEvery;
  for (const { epoch } of own) {
    if (epoch > next()) throw missingRows(where, before + 1, epoch - 1);
    before = epoch;
  }
  const isParents = parent !== undefined && own.length === 0;
  if (saved !== undefined && !isParents && next() <= saved.epoch)
    throw missingRows(where, before + 1, saved.epoch);
}

function missingRows(where: string, from: number, to: number): RunError {
  return new RunError(
    `${where}/metrics.jsonl: rows between epochs ${from} and ${to} are missing; restore the file, or train again in another folder`,
  );
}
