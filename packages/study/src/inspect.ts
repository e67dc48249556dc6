/**
 * Where a study stands, read from its folder: a run's id is its experiment's hash, which has its
 * teachers' parameters in it, so a student is known once its teachers are finished.
 */
import {
  type Experiment,
  experimentHash,
  isInputError,
  isRunError,
  type Manifest,
  type MetricsRow,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import { slugOf } from '@grok/core/internal';
import { failuresIn, type JournalLine, readJournal } from './journal.js';
import { expandPlan, keyOf, type Plan, type PlannedRun, withTeachers } from './plan.js';
import { type RunRecord, recordOf } from './record.js';
import { folderOf } from './reproduce.js';

/** Failures after which a run is given up: the first is forgiven once. */
export const ATTEMPTS = 2;

/** A planned run, and what has become of it. */
export interface StudyRun extends PlannedRun {
  readonly key: string;
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
  /** What it is to be trained with, teachers named; absent while they are not known. */
  readonly job?: { readonly run: string; readonly folder: string; readonly experiment: Experiment };
  /** What its folder holds; absent where nothing was begun. */
  readonly manifest?: Manifest;
  readonly history?: readonly MetricsRow[];
  readonly record?: RunRecord;
  /** Why it is lost. */
  readonly error?: string;
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
}

/** Reads where every run of a plan stands. Nothing is written. */
export async function inspectStudy(
  plan: Plan,
  folder: StudyFolder,
  journal?: readonly JournalLine[],
): Promise<readonly StudyRun[]> {
  const lines = journal ?? (await readJournal(folder.root));
  const runs = new Map<string, StudyRun>();
  for (const planned of expandPlan(plan)) {
    const run = await inspectRun(planned, runs, folder, lines);
    runs.set(run.key, run);
  }
  return [...runs.values()];
}

/** Reads where one run stands, given its teachers (among `others`, by key). */
export async function inspectRun(
  planned: PlannedRun,
  others: ReadonlyMap<string, StudyRun>,
  { open }: StudyFolder,
  journal: readonly JournalLine[],
): Promise<StudyRun> {
  const run = { ...planned, key: keyOf(planned) };
  const teachers = Object.entries(run.needs).map(
    ([as, name]) => [as, others.get(keyOf({ ...run, name }))!] as const,
  );
  const lost = teachers.find(([, teacher]) => isLost(teacher))?.[1];
  if (lost !== undefined) {
    const how = lost.state === 'damaged' ? 'is damaged' : 'failed';
    return { ...run, state: 'blocked', error: `its teacher ${lost.key} ${how}` };
  }
  if (teachers.some(([, { state }]) => state !== 'finished')) return { ...run, state: 'waiting' };
  const experiment = withTeachers(
    run.experiment,
    Object.fromEntries(
      teachers.map(([as, { manifest }]) => [
        as,
        { run: manifest!.run, paramsSha256: manifest!.paramsSha256! },
      ]),
    ),
  );
  const hash = experimentHash(experiment);
  const job = { run: hash, folder: folderOf(slugOf(experiment), hash), experiment };
  const store = open(job.folder);
  let manifest: Manifest | undefined;
  let history: readonly MetricsRow[];
  try {
    manifest = await readManifest(store);
    history = await readMetrics(store, manifest);
  } catch (error) {
    if (!isInputError(error) && !isRunError(error)) throw error;
    return { ...run, job, state: 'damaged', error: error.message };
  }
  const failure = failuresIn(journal).get(hash);
  const failed = failure !== undefined && failure.times >= ATTEMPTS;
  if (manifest === undefined)
    return failed
      ? { ...run, job, state: 'failed', error: failure.error }
      : { ...run, job, state: 'ready' };
  const found = { ...run, job, manifest, history, record: recordOf(manifest, history, job.folder) };
  if (manifest.status === 'finished') return { ...found, state: 'finished' };
  if (failed) return { ...found, state: 'failed', error: failure.error };
  return { ...found, state: 'interrupted' };
}
