/** Reads the state of a study's runs from its folder. */
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

/** How often a failed run is retried by default. */
export const RETRIES = 1;

/** A planned run with its state; its experiment has its teachers as soon as they are known. */
export interface StudyRun extends PlannedRun {
  /**
   * `damaged`: its folder cannot be read. `blocked`: a teacher failed. `waiting`: a teacher is not finished.
   */
  readonly state:
    | 'waiting'
    | 'ready'
    | 'running'
    | 'interrupted'
    | 'finished'
    | 'failed'
    | 'damaged'
    | 'blocked';
  /** Hash of its experiment, and its folder; absent until its teachers are known. */
  readonly run?: string;
  readonly folder?: string;
  readonly store?: Store;
  /** The content of its folder; absent before it is started. */
  readonly config?: RunConfig;
  readonly manifest?: Manifest;
  readonly history?: readonly MetricsRow[];
  readonly record?: RunRecord;
  /** Whether it exists only as a record, without parameters. */
  readonly recorded?: true;
  /** Why it failed. */
  readonly error?: string;
}
/** A run that was started: its folder is not empty. */
export type BegunRun = StudyRun &
  Required<
    Pick<StudyRun, 'run' | 'folder' | 'store' | 'config' | 'manifest' | 'history' | 'record'>
  >;
/** A finished run. */
export type FinishedRun = BegunRun & { readonly state: 'finished' };

/** Whether a run was started, whatever its outcome. */
export function hasBegun(run: StudyRun): run is BegunRun {
  return run.config !== undefined && run.manifest !== undefined && run.record !== undefined;
}
/** Whether a run is finished. */
export function isFinished(run: StudyRun): run is FinishedRun {
  return run.state === 'finished' && hasBegun(run);
}
/** Whether a run failed, is damaged or is blocked; the study continues without it. */
export const isLost = ({ state }: Pick<StudyRun, 'state'>): boolean =>
  state === 'failed' || state === 'damaged' || state === 'blocked';

/** The folders of a study. */
export interface StudyFolder {
  /** The study folder, with `plan.json` and `journal.jsonl`. */
  readonly root: Store;
  /** Opens a run folder in it by name. */
  readonly open: (folder: string) => Store;
  /** Records of finished runs by id, for runs without a folder. */
  readonly records?: ReadonlyMap<string, Store>;
}
/** Further information about the state of a run. */
export interface StudyRecord {
  /** Failures by run; default: those of the study's journal. */
  readonly failures?: ReadonlyMap<string, Failure>;
  /** Ids of started runs by key; default: those of the study's journal. */
  readonly begun?: ReadonlyMap<string, string>;
  /** How often a failed run is retried (default 1). */
  readonly retries?: number;
}

/**
 * Loads the state of every run of a study, in the given order, without writing. If the journal is damaged, its
 * failures are lost; `notice` is called.
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

/** Reads the journal; empty if it is damaged. */
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

/** Loads the state of one run, given its teachers (in `others`, by key). */
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

/** A run that finished before its teacher was damaged: the journal has its id, and its config its teachers' ids. */
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

/** The failure in a record: a run that failed permanently is not retried elsewhere. */
async function findRecordedFailure(
  run: string,
  store: Store,
): Promise<ReadonlyMap<string, Failure>> {
  const manifest = await readManifest(store);
  if (manifest?.status !== 'failed') return new Map();
  const { error = 'failed, as its record says' } = manifest;
  return new Map([[run, { times: Number.POSITIVE_INFINITY, error }]]);
}

/** Chooses between a run's folder and its record: the folder if it is finished there, otherwise the record. */
function chooseRecord(own: StudyRun, recorded: StudyRun): StudyRun {
  if (recorded.state === 'failed' && own.state === 'ready') return { ...recorded, recorded: true };
  if (recorded.state !== 'finished') return own;
  if (own.state !== 'finished') return { ...recorded, recorded: true };
  const [mine, theirs] = [own, recorded].map(({ manifest }) => manifest?.paramsSha256);
  // A longer run has the parameters of another step.
  if (mine === theirs || own.manifest?.step !== recorded.manifest?.step) return own;
  const error = `${own.key}: ended with different parameters (${mine?.slice(0, 10)}) than its record ${recorded.store?.where} (${theirs?.slice(0, 10)}): results on this machine are not bit-identical; omit --records, and train everything here`;
  return { ...own, state: 'failed', error };
}

/**
 * Keys of recorded runs that must be trained again because a run that still has to be trained needs their
 * parameters, which records lack. `same` maps each key to the first key of the same run.
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
  // A run that reached its old length continues if the new length is greater.
  const isShort = isSpent(config.experiment, manifest) && !isSpent(bound.experiment, manifest);
  if (manifest.status === 'finished' && !isShort) return { ...found, state: 'finished' };
  if (failed) return { ...found, state: 'failed', error: failure.error };
  return { ...found, state: 'interrupted' };
}
