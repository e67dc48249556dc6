/** Loads the runs in any folders, with the names used in tables and legends, in a fixed order. */
import {
  type Experiment,
  isInputError,
  isRunError,
  readConfig,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import type { RunConfig } from '@grok/core/internal';
import { type FoundRun, matchRuns } from './match-runs.js';
import { expandPlan, type Plan } from './plan.js';
import type { PlannedRun } from './planned-runs.js';
import { buildRecord } from './record.js';
import type { BegunRun } from './study-run.js';

const ORDER = ['teacher', 'none', 'logit', 'attention', 'feature', 'all'];

/** A run that cannot be read. */
export interface DamagedRun {
  /** Name of its store: the path of a folder. */
  readonly where: string;
  /** The error, with file, line and key. */
  readonly error: Error;
  readonly store: Store;
  /** Its id, if its `config.json` can be read. */
  readonly run?: string;
  /** Its name in the plan. */
  readonly keys: readonly string[];
}
/** The runs of some folders, and the damaged ones. */
export interface LoadedRuns {
  /** In the order of tables. A run that several overrides share is listed under each of them. */
  readonly runs: readonly BegunRun[];
  readonly damaged: readonly DamagedRun[];
  /** Readable runs that are not in the plan, as far as is known. */
  readonly unmatched: readonly UnmatchedRun[];
}
/** A run that is not in the plan. */
export interface UnmatchedRun {
  /** Name of its store: the path of a folder. */
  readonly where: string;
  /** Its teacher's run is damaged, so the step of the teacher is unknown. */
  readonly damagedTeacher?: DamagedRun;
}

/**
 * Loads the runs in some stores; runs without a manifest are skipped. Names come from the plan; other runs are
 * named `teacher` or by their strategies.
 */
export async function loadRuns(stores: readonly Store[], plan?: Plan): Promise<LoadedRuns> {
  const found: FoundRun[] = [];
  for (const store of stores) {
    const run = await findRun(store);
    if (run !== undefined) found.push(run);
  }
  const names = plan === undefined ? undefined : await matchRuns(found, expandPlan(plan));
  const runs = names === undefined ? nameByKind(found) : nameByPlan(found, names);
  const damaged = found.flatMap(({ store, config, error }): DamagedRun[] => {
    if (error === undefined) return [];
    const keys = (names?.get(store) ?? []).map(({ key }) => key);
    const run = config === undefined ? {} : { run: config.run };
    return [{ where: store.where, error, store, ...run, keys }];
  });
  return {
    runs: plan === undefined ? sortByKind(runs) : sortByPlan(runs, plan),
    damaged,
    unmatched: names === undefined ? [] : findUnmatched(found, names, damaged),
  };
}

function findUnmatched(
  found: readonly FoundRun[],
  names: ReadonlyMap<Store, unknown>,
  damaged: readonly DamagedRun[],
): readonly UnmatchedRun[] {
  return found.flatMap(({ run, store }): UnmatchedRun[] => {
    if (run === undefined || names.has(store)) return [];
    const taughtBy = Object.values(run.experiment.teachers ?? {}).map((teacher) => teacher.run);
    const teacher = damaged.find(
      (other) => other.run !== undefined && taughtBy.includes(other.run),
    );
    return [{ where: store.where, ...(teacher === undefined ? {} : { damagedTeacher: teacher }) }];
  });
}

/** A run as far as it can be read. */
async function findRun(store: Store): Promise<FoundRun | undefined> {
  let config: RunConfig | undefined;
  try {
    config = await readConfig(store);
    const run = await readBegunRun(store, config);
    return run && { store, config, run };
  } catch (error) {
    if (!isInputError(error) && !isRunError(error)) throw error;
    return { store, error, ...(config === undefined ? {} : { config }) };
  }
}

async function readBegunRun(store: Store, config: RunConfig): Promise<BegunRun | undefined> {
  const { experiment, run } = config;
  const manifest = await readManifest(store);
  if (manifest === undefined) return undefined;
  const history = await readMetrics(store, manifest);
  const record = buildRecord(manifest, history, store.where);
  const { seed } = experiment;
  return {
    ...{ key: run, name: run, seed, role: hasTeachers(experiment) ? 'student' : 'control' },
    ...{ experiment, needs: {}, run, folder: store.where, store },
    ...{ config, manifest, history, record },
    state: manifest.status === 'running' ? 'interrupted' : manifest.status,
  };
}

/** The teacher's run of a student; for a control, the teacher of its seed. */
export function findTeacher<R extends BegunRun>(run: R, runs: readonly R[]): R | undefined {
  if (run.name === 'teacher') return undefined;
  const [ref] = Object.values(run.experiment.teachers ?? {});
  if (ref !== undefined) return runs.find((other) => other.run === ref.run);
  return runs.find(
    ({ name, seed, override }) =>
      name === 'teacher' && seed === run.seed && override === run.override,
  );
}

/** Names a run by its strategies: `logit` for hard and logit terms, `none` for hard terms only. */
export function nameStrategies(experiment: Experiment): string {
  const uses = (experiment.objective ?? []).map((term) => term.use).filter((u) => u !== 'hard');
  return [...new Set(uses)].join('+') || 'none';
}

/** A control's experiment names no teacher, since its terms need none. */
const hasTeachers = ({ teachers = {} }: Experiment): boolean => Object.keys(teachers).length > 0;

function nameByKind(found: readonly FoundRun[]): readonly BegunRun[] {
  const teaching = new Set(
    found.flatMap(({ config }) =>
      Object.values(config?.experiment.teachers ?? {}).map((teacher) => teacher.run),
    ),
  );
  return found.flatMap(({ run }) => {
    if (run === undefined) return [];
    const teaches = teaching.has(run.run) && !hasTeachers(run.experiment);
    const name = teaches ? 'teacher' : nameStrategies(run.experiment);
    return [{ ...run, ...(teaches ? { role: 'teacher' as const } : {}), name }];
  });
}

function nameByPlan(
  found: readonly FoundRun[],
  names: ReadonlyMap<Store, readonly PlannedRun[]>,
): readonly BegunRun[] {
  return found.flatMap(({ run, store }) => {
    if (run === undefined) return [];
    const { experiment } = run;
    return (names.get(store) ?? []).map((planned) => ({ ...run, ...planned, experiment }));
  });
}

/** In legend order: teacher, control and the paper's strategies first, then by seed. */
function sortByKind(runs: readonly BegunRun[]): readonly BegunRun[] {
  const names = [...new Set(runs.map(({ name }) => name))].sort();
  const order = [...ORDER.filter((name) => names.includes(name)), ...names];
  return runs.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name) || a.seed - b.seed);
}

/** In plan order: by override, then by name, then by seed. */
function sortByPlan(runs: readonly BegunRun[], plan: Plan): readonly BegunRun[] {
  const planned = expandPlan(plan);
  const overrides = [...new Set(planned.map(({ override }) => override))];
  const names = [...new Set(planned.map(({ name }) => name))];
  return runs.toSorted(
    (a, b) =>
      overrides.indexOf(a.override) - overrides.indexOf(b.override) ||
      names.indexOf(a.name) - names.indexOf(b.name) ||
      plan.seeds.indexOf(a.seed) - plan.seeds.indexOf(b.seed),
  );
}
