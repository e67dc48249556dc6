/** Where the runs of a study stand, read from its folder. */
import {
  isInputError,
  isRunError,
  type Manifest,
  type MetricsRow,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import { findConfig, formatSlug, isSpent, type RunConfig } from '@grok/core/internal';
import { type BoundRun, bindTeachers, formatFolder, identifyRun, isTaughtAs } from './bind.js';
import { type Failure, findBegun, findFailures, type JournalLine, readJournal } from './journal.js';
import { orderByTeachers, type PlannedRun } from './planned-runs.js';
import { buildRecord, type RunRecord } from './record.js';

/** How often a failed run is tried again unless a study says otherwise. */
export const RETRIES = 1;

/** A planned run, and what has become of it; its experiment has its teachers named as soon as they are known. */
export interface StudyRun extends PlannedRun {
  /** `damaged`: its folder cannot be read. `blocked`: a teacher is lost. `waiting`: a teacher is not finished. */
  readonly state:
    | 'waiting'
    | 'ready'
    | 'running'
    | 'interrupted'
    | 'finished'
    | 'failed'
    | 'damaged'
    | 'blocked';
  /** Hash of its experiment, and its folder; absent while its teachers are not known. */
  readonly run?: string;
  readonly folder?: string;
  readonly store?: Store;
  /** What its folder holds; absent where nothing was begun. */
  readonly config?: RunConfig;
  readonly manifest?: Manifest;
  readonly history?: readonly MetricsRow[];
  readonly record?: RunRecord;
  /** It is known from its record alone: its parameters are not at hand. */
  readonly recorded?: true;
  /** Why it is lost. */
  readonly error?: string;
}
/** A run that has begun: its folder holds something. */
export type BegunRun = StudyRun &
  Required<
    Pick<StudyRun, 'run' | 'folder' | 'store' | 'config' | 'manifest' | 'history' | 'record'>
  >;
/** A run that is finished. */
export type FinishedRun = BegunRun & { readonly state: 'finished' };

/** True for a run that has begun, however it ended. */
export function hasBegun(run: StudyRun): run is BegunRun {
  return run.config !== undefined && run.manifest !== undefined && run.record !== undefined;
}
/** True for a finished run. */
export function isFinished(run: StudyRun): run is FinishedRun {
  return run.state === 'finished' && hasBegun(run);
}
/** Failed, damaged or blocked: a study goes on without it. */
export const isLost = ({ state }: Pick<StudyRun, 'state'>): boolean =>
  state === 'failed' || state === 'damaged' || state === 'blocked';

/** Folders of a study. */
export interface StudyFolder {
  /** The study's own: `plan.json`, `journal.jsonl`. */
  readonly root: Store;
  /** A run's folder in it, by name. */
  readonly open: (folder: string) => Store;
  /** Records of finished runs, by run: what is in none of its folders is known from these. */
  readonly records?: ReadonlyMap<string, Store>;
}
/** What else says where a run stands. */
export interface StudyRecord {
  /** What went wrong, by run; default: what the study's journal says. */
  readonly failures?: ReadonlyMap<string, Failure>;
  /** Ids of the runs that were begun, by key; default: what the study's journal says. */
  readonly begun?: ReadonlyMap<string, string>;
  /** How often a failed run is tried again, default 1. */
  readonly retries?: number;
}

/**
 * Reads where every run of a study stands, in the order given. Nothing is written. A damaged journal
 * costs what it said of failures; `notice` hears of it.
 */
export async function loadStudy(
  planned: readonly PlannedRun[],
  folder: StudyFolder,
  { failures, begun, retries = RETRIES }: StudyRecord = {},
  notice?: (message: string) => void,
): Promise<readonly StudyRun[]> {
  const journal = failures && begun ? [] : await readWhole(folder.root, notice);
  const record = {
    failures: failures ?? findFailures(journal),
    begun: begun ?? findBegun(journal),
    retries,
  };
  const found = new Map<string, StudyRun>();
  for (const run of orderByTeachers(planned))
    found.set(run.key, await loadRun(run, found, folder, record));
  return planned.flatMap(({ key }) => found.get(key) ?? []);
}

/** The journal, or nothing where it is damaged. */
async function readWhole(
  root: Store,
  notice: (message: string) => void = () => {},
): Promise<readonly JournalLine[]> {
  try {
    return await readJournal(root);
  } catch (error) {
    if (!isInputError(error) && !isRunError(error)) throw error;
    notice(`the journal is damaged and skipped: ${error.message}`);
    return [];
  }
}

/** Reads where one run stands, given its teachers (among `others`, by key). */
export async function loadRun(
  { key, name, role, seed, override, experiment: unbound, needs }: PlannedRun,
  others: ReadonlyMap<string, StudyRun>,
  { open, records }: StudyFolder,
  record: Required<StudyRecord>,
): Promise<StudyRun> {
  const planned: PlannedRun = {
    ...{ key, name, role, seed, needs, experiment: unbound },
    ...(override === undefined ? {} : { override }),
  };
  const teachers = Object.values(needs).flatMap((need) => others.get(need.key) ?? []);
  const lost = teachers.find(isLost);
  if (lost !== undefined) {
    const done = await findFinished(planned, teachers, open, record);
    if (done !== undefined) return done;
    const how = lost.state === 'damaged' ? 'is damaged' : 'failed';
    return { ...planned, state: 'blocked', error: `its teacher ${lost.key} ${how}` };
  }
  const finished = new Map(teachers.filter(isFinished).map((run) => [run.key, run]));
  try {
    const experiment = await bindTeachers(planned, finished);
    if (experiment === undefined) return { ...planned, state: 'waiting' };
    const bound = identifyRun(experiment);
    const run = { ...planned, ...bound };
    const own = await readRun(run, open(bound.folder), record);
    const store = records?.get(bound.run);
    if (store === undefined) return own;
    const failures = await findRecordedFailure(bound.run, store);
    return chooseRecord(own, await readRun(run, store, { ...record, failures }));
  } catch (error) {
    if (!isInputError(error) && !isRunError(error)) throw error;
    return { ...planned, state: 'blocked', error: error.message };
  }
}

/** A run that was finished before its teacher was damaged: the journal knows its id, and it knows its teachers'. */
async function findFinished(
  planned: PlannedRun,
  teachers: readonly StudyRun[],
  open: StudyFolder['open'],
  record: Required<StudyRecord>,
): Promise<StudyRun | undefined> {
  const run = record.begun.get(planned.key);
  if (run === undefined) return undefined;
  const folder = formatFolder(formatSlug(planned.experiment), run);
  const store = open(folder);
  try {
    const config = await findConfig(store);
    const ids = new Map(teachers.flatMap(({ key, run: id }) => (id ? [[key, id]] : [])));
    if (config?.run !== run || !isTaughtAs(config.experiment, planned, ids)) return undefined;
    const experiment = { ...config.experiment, ...planned.experiment };
    const found = await readRun({ ...planned, experiment, run, folder }, store, record);
    return found.state === 'finished' ? found : undefined;
  } catch (error) {
    if (!isInputError(error) && !isRunError(error)) throw error;
    return undefined;
  }
}

/** The failure that a record is of: a run that failed for good is not tried again elsewhere. */
async function findRecordedFailure(
  run: string,
  store: Store,
): Promise<ReadonlyMap<string, Failure>> {
  const manifest = await readManifest(store);
  if (manifest?.status !== 'failed') return new Map();
  const { error = 'failed, as its record says' } = manifest;
  return new Map([[run, { times: Number.POSITIVE_INFINITY, error }]]);
}

/** What stands of a run that has a record: its own folder where it is finished there, else the record. */
function chooseRecord(own: StudyRun, recorded: StudyRun): StudyRun {
  if (recorded.state === 'failed' && own.state === 'ready') return { ...recorded, recorded: true };
  if (recorded.state !== 'finished') return own;
  if (own.state !== 'finished') return { ...recorded, recorded: true };
  const [mine, theirs] = [own, recorded].map(({ manifest }) => manifest?.paramsSha256);
  // A longer run has the parameters of another step.
  if (mine === theirs || own.manifest?.step !== recorded.manifest?.step) return own;
  const error = `${own.key}: ended in other parameters (${mine?.slice(0, 10)}) than its record ${recorded.store?.where} (${theirs?.slice(0, 10)}): this machine computes other bits; omit --records, and train everything here`;
  return { ...own, state: 'failed', error };
}

/**
 * Keys of recorded runs that must be trained once more, to the same bits: they teach what is still to be
 * trained, and a record has no parameters. `same` gives the first key of each run.
 */
export function findAbsentTeachers(
  runs: readonly StudyRun[],
  same: ReadonlyMap<string, string>,
): readonly string[] {
  const byKey = new Map(runs.map((run) => [run.key, run]));
  const absent = new Set<string>();
  for (const { key, state, needs } of orderByTeachers(runs).toReversed())
    if (state === 'waiting' || state === 'ready' || state === 'interrupted' || absent.has(key))
      for (const { key: teacher } of Object.values(needs))
        if (byKey.get(teacher)?.recorded === true) absent.add(same.get(teacher) ?? teacher);
  return [...absent];
}

async function readRun(
  bound: PlannedRun & BoundRun,
  store: Store,
  { failures, retries }: Required<StudyRecord>,
): Promise<StudyRun> {
  let config: RunConfig | undefined;
  let manifest: Manifest | undefined;
  let history: readonly MetricsRow[];
  const run = { ...bound, store };
  try {
    config = await findConfig(store);
    manifest = await readManifest(store);
    history = await readMetrics(store, manifest);
  } catch (error) {
    if (!isInputError(error) && !isRunError(error)) throw error;
    return { ...run, state: 'damaged', error: error.message };
  }
  const failure = failures.get(bound.run);
  const failed = failure !== undefined && failure.times > retries;
  if (config === undefined || manifest === undefined)
    return failed ? { ...run, state: 'failed', error: failure.error } : { ...run, state: 'ready' };
  const found = {
    ...run,
    config,
    manifest,
    history,
    record: buildRecord(manifest, history, store.where),
  };
  // A run that ended where it was to end then, and is to be longer now, goes on.
  const isShort = isSpent(config.experiment, manifest) && !isSpent(bound.experiment, manifest);
  if (manifest.status === 'finished' && !isShort) return { ...found, state: 'finished' };
  if (failed) return { ...found, state: 'failed', error: failure.error };
  return { ...found, state: 'interrupted' };
}
