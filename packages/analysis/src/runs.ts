/** The runs of a folder under the names that every table and legend gives them, in one order. */
import {
  canonicalJson,
  type Experiment,
  type Manifest,
  type MetricsRow,
  readConfig,
  readManifest,
  readMetrics,
  type Store,
} from '@grok/core';
import type { RunConfig } from '@grok/core/internal';
import { expandPlan, type Plan, type RunRecord, recordOf } from '@grok/study';

/** A run of a study, or one that stands alone. */
export interface StudyRun {
  /** `teacher`, or the arm's name. */
  readonly name: string;
  readonly seed: number;
  /** Name of the plan's override, in plans that have some. */
  readonly override?: string;
  readonly store: Store;
  readonly config: RunConfig;
  readonly manifest: Manifest;
  readonly history: readonly MetricsRow[];
  readonly record: RunRecord;
}

const ORDER = ['teacher', 'none', 'logit', 'attention', 'feature', 'all'];

/**
 * Reads the runs in some stores; those without a manifest yet are left out. Names come from the plan;
 * what no plan names is called by what it is: a teacher, or its strategies.
 */
export async function readRuns(
  stores: readonly Store[],
  plan?: Plan,
): Promise<readonly StudyRun[]> {
  const found: StudyRun[] = [];
  for (const store of stores) {
    const config = await readConfig(store);
    const manifest = await readManifest(store);
    if (manifest === undefined) continue;
    const history = await readMetrics(store, manifest);
    const record = recordOf(manifest, history, store.where);
    const { seed } = config.experiment;
    found.push({ name: '', seed, store, config, manifest, history, record });
  }
  const named = plan === undefined ? byKind(found) : byPlan(found, plan);
  const order = orderOf(named, plan);
  return named.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name) || a.seed - b.seed);
}

/** Names in the order of legends: the plan's, else teacher, control and the paper's strategies first. */
export function orderOf(runs: readonly StudyRun[], plan?: Plan): readonly string[] {
  const known = plan === undefined ? ORDER : [...new Set(expandPlan(plan).map(({ name }) => name))];
  const names = [...new Set(runs.map(({ name }) => name))].sort();
  const first = known.filter((name) => names.includes(name));
  return [...first, ...names.filter((name) => !first.includes(name))];
}

/** The run that a run learned from; for a control, the teacher of its seed. */
export function teacherOf(run: StudyRun, runs: readonly StudyRun[]): StudyRun | undefined {
  if (run.name === 'teacher') return undefined;
  const [ref] = Object.values(run.config.experiment.teachers ?? {});
  if (ref !== undefined) return runs.find(({ manifest }) => manifest.run === ref.run);
  return runs.find(
    ({ name, seed, override }) =>
      name === 'teacher' && seed === run.seed && override === run.override,
  );
}

/** `logit` of hard and logit terms, `none` of hard ones alone. */
export function strategiesOf(experiment: Experiment): string {
  const uses = (experiment.objective ?? []).map((term) => term.use).filter((u) => u !== 'hard');
  return [...new Set(uses)].join('+') || 'none';
}

function byKind(runs: readonly StudyRun[]): readonly StudyRun[] {
  const teaching = new Set(
    runs.flatMap(({ config }) =>
      Object.values(config.experiment.teachers ?? {}).map((ref) => ref.run),
    ),
  );
  return runs.map((run) => ({
    ...run,
    name: teaching.has(run.manifest.run) ? 'teacher' : strategiesOf(run.config.experiment),
  }));
}

/** Teachers come first in a plan: arms that differ by their teacher alone are told apart by its name. */
function byPlan(runs: readonly StudyRun[], plan: Plan): readonly StudyRun[] {
  const names = new Map<string, string>(); // run → name
  const keys = new Map<string, string>(); // run → key
  const overrides = new Map<string, string | undefined>();
  for (const planned of expandPlan(plan)) {
    const wanted = canonicalJson(planned.experiment);
    const match = runs.find(({ config, manifest }) => {
      const { teachers = {}, ...own } = config.experiment;
      return (
        !names.has(manifest.run) &&
        canonicalJson(own) === wanted &&
        Object.entries(planned.needs).every(
          ([as, { key }]) => keys.get(teachers[as]?.run ?? '') === key,
        )
      );
    });
    if (match === undefined) continue;
    names.set(match.manifest.run, planned.name);
    keys.set(match.manifest.run, planned.key);
    overrides.set(match.manifest.run, planned.override);
  }
  return runs.flatMap((run) => {
    const name = names.get(run.manifest.run);
    const override = overrides.get(run.manifest.run);
    return name === undefined
      ? []
      : [{ ...run, name, ...(override === undefined ? {} : { override }) }];
  });
}
