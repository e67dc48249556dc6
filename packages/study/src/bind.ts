/**
 * Binds a planned run to its teachers. A run's id is its experiment's hash, which includes its
 * teachers' parameters, so a student has an id and a folder only once its teachers are finished.
 */
import {
  type Experiment,
  experimentHash,
  InputError,
  type Manifest,
  type MetricsRow,
  paramsSha256,
  type Store,
  type TeacherRef,
} from '@grok/core';
import {
  formatSlug,
  type PinnedPoints,
  readCheckpoint,
  type TrainingPoint,
  withoutAuxiliary,
} from '@grok/core/internal';
import { readRecordedHash } from './finished-records.js';
import type { PlannedRun } from './planned-runs.js';

/** Validation accuracy (0–1) at which a run counts as having grokked. */
const GROKKED = 0.99;

/** The part of a finished run that is needed to use it as a teacher. */
export interface TeachingRun {
  readonly manifest: Manifest;
  readonly history: readonly MetricsRow[];
  readonly store: Store;
}
/** An experiment with its teachers, and its folder. */
export interface BoundRun {
  readonly experiment: Experiment;
  /** The experiment's hash. */
  readonly run: string;
  /** Name of the run folder in the study folder. */
  readonly folder: string;
}

/**
 * Fills in a run's teachers by run id and parameters; undefined until all of them are finished.
 * @throws InputError if a teacher never reached the requested point.
 */
export async function bindTeachers(
  { experiment, needs }: Pick<PlannedRun, 'experiment' | 'needs'>,
  finished: ReadonlyMap<string, TeachingRun>,
): Promise<Experiment | undefined> {
  const teachers: Record<string, TeacherRef> = { ...experiment.teachers };
  for (const [as, { key, at }] of Object.entries(needs)) {
    const teacher = finished.get(key);
    if (teacher === undefined) return undefined;
    teachers[as] = await referTo(key, teacher, at);
  }
  return Object.keys(teachers).length === 0 ? experiment : { ...experiment, teachers };
}

/** Whether an experiment is the planned one, comparing teachers by id only. */
export function isTaughtAs(
  { teachers = {}, ...own }: Experiment,
  { experiment, needs }: Pick<PlannedRun, 'experiment' | 'needs'>,
  /** Run ids by key. */
  ids: ReadonlyMap<string, string>,
): boolean {
  const known = new Map(Object.entries(teachers));
  if (known.size !== Object.keys(needs).length) return false;
  if (experimentHash(own) !== experimentHash(experiment)) return false;
  return Object.entries(needs).every(([as, { key, at }]) => {
    const teacher = known.get(as);
    // Which step any other point is can only be read from the teacher's epochs.
    const step = at === 'last' ? undefined : at;
    return teacher !== undefined && teacher.run === ids.get(key) && teacher.step === step;
  });
}

/** The id and folder of an experiment with known teachers. */
export function identifyRun(experiment: Experiment): BoundRun {
  const run = experimentHash(experiment);
  return { experiment, run, folder: formatFolder(formatSlug(experiment), run) };
}

/** Name of a run folder: `div97-transformer64-logit+hard-s42-0123456789`. */
export function formatFolder(slug: string, run: string): string {
  return `${slug}-${run.slice(0, 10)}`;
}

async function referTo(
  key: string,
  { manifest, history, store }: TeachingRun,
  at: TrainingPoint,
): Promise<TeacherRef> {
  const { run } = manifest;
  const step = findStep(at, history);
  if (step === undefined)
    throw new InputError(
      `its teacher ${key} never reached a validation accuracy of ${crossingAccuracy(at)}; choose another point of its training`,
    );
  if (step === 'last' || step === manifest.step) {
    if (manifest.paramsSha256 === undefined)
      throw new InputError(`its teacher ${key} has no hash of its parameters; resume it`);
    return { run, paramsSha256: manifest.paramsSha256 };
  }
  const recorded = await readRecordedHash(store, step);
  if (recorded !== undefined) return { run, paramsSha256: recorded, step };
  const { params } = await readCheckpoint(store, step);
  return { run, paramsSha256: paramsSha256(withoutAuxiliary(params)), step };
}

/** The step of a point in a run's training; undefined if the run never reached it. */
function findStep(at: TrainingPoint, history: readonly MetricsRow[]): number | 'last' | undefined {
  if (at === 'last' || typeof at === 'number') return at;
  const accuracy = crossingAccuracy(at) ?? 1;
  return history.find(({ validation }) => validation.accuracy >= accuracy)?.step;
}

/** The validation accuracy that defines a point; undefined for a step. */
export function crossingAccuracy(at: TrainingPoint): number | undefined {
  if (at === 'crossing') return GROKKED;
  return typeof at === 'object' ? at.validationAccuracy : undefined;
}

/** Points of training at which runs are used as teachers, except the last; their checkpoints must be kept. */
export function findPins(
  planned: readonly PlannedRun[],
  same: ReadonlyMap<string, string>,
): ReadonlyMap<string, PinnedPoints> {
  const pins = new Map<string, PinnedPoints>();
  for (const { key, at } of planned.flatMap(({ needs }) => Object.values(needs))) {
    const first = same.get(key) ?? key;
    const { steps = [], validationAccuracies = [] } = pins.get(first) ?? {};
    const accuracy = crossingAccuracy(at);
    if (typeof at === 'number') pins.set(first, { validationAccuracies, steps: [...steps, at] });
    else if (accuracy !== undefined)
      pins.set(first, { steps, validationAccuracies: [...validationAccuracies, accuracy] });
  }
  return pins;
}
