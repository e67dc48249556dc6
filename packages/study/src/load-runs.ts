/** The runs of any folders under the names that every table and legend gives them, in one order. */
import {
  type Experiment,
  experimentHash,
  isInputError,
  readConfig,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import { bindTeachers } from './bind.js';
import { expandPlan, type Plan } from './plan.js';
import { orderByTeachers } from './planned-runs.js';
import { recordOf } from './record.js';
import type { BegunRun } from './study-run.js';

const ORDER = ['teacher', 'none', 'logit', 'attention', 'feature', 'all'];

/**
 * Reads the runs in some stores; those without a manifest yet are left out. Names come from the plan;
 * what no plan names is called by what it is: a teacher, or its strategies.
 */
export async function loadRuns(
  stores: readonly Store[],
  plan?: Plan,
): Promise<readonly BegunRun[]> {
  const found: BegunRun[] = [];
  for (const store of stores) {
    const run = await readBegunRun(store);
    if (run !== undefined) found.push(run);
  }
  const named = plan === undefined ? nameByKind(found) : await nameByPlan(found, plan);
  const order = orderNames(named, plan);
  return named.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name) || a.seed - b.seed);
}

async function readBegunRun(store: Store): Promise<BegunRun | undefined> {
  const config = await readConfig(store);
  const { experiment, run } = config;
  const manifest = await readManifest(store);
  if (manifest === undefined) return undefined;
  const history = await readMetrics(store, manifest);
  const record = recordOf(manifest, history, store.where);
  const { seed } = experiment;
  return {
    ...{ key: run, name: run, seed, role: hasTeachers(experiment) ? 'student' : 'control' },
    ...{ experiment, needs: {}, run, folder: store.where, store },
    ...{ config, manifest, history, record },
    state: manifest.status === 'running' ? 'interrupted' : manifest.status,
  };
}

/** Names in the order of legends: the plan's, else teacher, control and the paper's strategies first. */
export function orderNames(
  runs: readonly Pick<BegunRun, 'name'>[],
  plan?: Plan,
): readonly string[] {
  const known = plan === undefined ? ORDER : [...new Set(expandPlan(plan).map(({ name }) => name))];
  const names = [...new Set(runs.map(({ name }) => name))].sort();
  const first = known.filter((name) => names.includes(name));
  return [...first, ...names.filter((name) => !first.includes(name))];
}

/** The run that a run learned from; for a control, the teacher of its seed. */
export function findTeacher<R extends BegunRun>(run: R, runs: readonly R[]): R | undefined {
  if (run.name === 'teacher') return undefined;
  const [ref] = Object.values(run.experiment.teachers ?? {});
  if (ref !== undefined) return runs.find((other) => other.run === ref.run);
  return runs.find(
    ({ name, seed, override }) =>
      name === 'teacher' && seed === run.seed && override === run.override,
  );
}

/** `logit` of hard and logit terms, `none` of hard ones alone. */
export function nameStrategies(experiment: Experiment): string {
  const uses = (experiment.objective ?? []).map((term) => term.use).filter((u) => u !== 'hard');
  return [...new Set(uses)].join('+') || 'none';
}

/** A control's experiment names no teacher: its terms need none. */
const hasTeachers = ({ teachers = {} }: Experiment): boolean => Object.keys(teachers).length > 0;

function nameByKind(runs: readonly BegunRun[]): readonly BegunRun[] {
  const teaching = new Set(
    runs.flatMap(({ experiment }) =>
      Object.values(experiment.teachers ?? {}).map((teacher) => teacher.run),
    ),
  );
  return runs.map((run) => {
    const teaches = teaching.has(run.run) && !hasTeachers(run.experiment);
    return {
      ...run,
      ...(teaches ? { role: 'teacher' } : {}),
      name: teaches ? 'teacher' : nameStrategies(run.experiment),
    };
  });
}

/** A run is the plan's whose experiment, bound to its teachers, is the same. */
async function nameByPlan(runs: readonly BegunRun[], plan: Plan): Promise<readonly BegunRun[]> {
  const byId = new Map(runs.map((run) => [run.run, run]));
  const byKey = new Map<string, BegunRun>();
  const named = new Map<string, BegunRun>();
  for (const planned of orderByTeachers(expandPlan(plan))) {
    const experiment = await bindTeachers(planned, byKey).catch((error: unknown) => {
      if (isInputError(error)) return undefined; // a teacher that never came so far taught nobody
      throw error;
    });
    const match = experiment && byId.get(experimentHash(experiment));
    if (match === undefined) continue;
    const run = { ...match, ...planned, experiment: match.experiment };
    byKey.set(planned.key, run);
    // Runs that several overrides share are called as the first calls them.
    if (!named.has(match.run)) named.set(match.run, run);
  }
  return [...named.values()];
}
