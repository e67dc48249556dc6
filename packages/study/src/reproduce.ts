/**
 * Carries out a plan: for every seed the teacher, then the control and the students, one folder a
 * run. It may be stopped anywhere; begun again, finished runs are read and the others go on.
 */
import {
  canonicalJson,
  type Execution,
  experimentHash,
  InputError,
  type Manifest,
  type MetricsRow,
  openBackend,
  RunError,
  type RunHost,
  type RunListener,
  type Store,
  startRun,
  type TeacherRef,
} from '@grok/core';
import { findConfig, slugOf } from '@grok/core/internal';
import { checkPlan } from './check-plan.js';
import { expandPlan, keyOf, type Plan, type PlannedRun, withTeachers } from './plan.js';
import { preflight } from './preflight.js';
import { type RunRecord, recordOf } from './record.js';

/** What a plan is given by whoever carries it out. */
export interface PlanHost
  extends Pick<RunHost, 'registry' | 'signal' | 'now' | 'peakMemoryBytes' | 'versions'> {
  /** The study's folder: it holds `plan.json`. */
  readonly root: Store;
  /** A run's folder in it, by name. */
  readonly open: (folder: string) => Store;
  /** How every run is carried out; one that goes on must agree with it. */
  readonly execution?: Execution;
  /** What a run that begins falls back to; one that goes on keeps its own. */
  readonly fresh?: Execution;
  /** Listeners of a run, the `index`-th (from 0) of `total`. */
  readonly listeners?: (run: PlannedRun, index: number, total: number) => readonly RunListener[];
}
/** A run of a plan and what came of it. */
export interface PlanRun {
  readonly name: string;
  readonly role: PlannedRun['role'];
  readonly seed: number;
  readonly record: RunRecord;
  readonly manifest: Manifest;
  readonly history: readonly MetricsRow[];
}
/** What came of a plan. */
export interface PlanResult {
  readonly status: 'finished' | 'interrupted';
  /** Those begun, in the plan's order. */
  readonly runs: readonly PlanRun[];
}

/**
 * Runs what a plan still lacks.
 * @throws InputError on bad input in any of its runs, before anything is written; RunError when a run fails.
 */
export async function runPlan(plan: Plan, host: PlanHost): Promise<PlanResult> {
  preflight(plan, host.registry);
  await claimFolder(plan, host);
  const planned = expandPlan(plan);
  const runs: PlanRun[] = [];
  const finished = new Map<string, { ref: TeacherRef; store: Store; folder: string }>();
  for (const [index, run] of planned.entries()) {
    const needed = Object.entries(run.needs).map(
      ([as, name]) => [as, finished.get(keyOf({ ...run, name }))!] as const,
    );
    const experiment = withTeachers(
      run.experiment,
      Object.fromEntries(needed.map(([as, { ref }]) => [as, ref])),
    );
    const hash = experimentHash(experiment);
    const folder = folderOf(slugOf(experiment), hash);
    const store = host.open(folder);
    const { root: _root, open: _open, execution, fresh, listeners, ...common } = host;
    const began = (await findConfig(store)) !== undefined;
    // Folders of teachers as seen from the run's, so that a run can be resumed by itself.
    const beside = Object.fromEntries(needed.map(([as, { folder: at }]) => [as, `../${at}`]));
    const spec = {
      experiment,
      execution: { ...(began ? {} : fresh), ...execution, teachers: beside },
    };
    const result = await startRun(spec, {
      ...common,
      store,
      teacherStores: Object.fromEntries(needed.map(([as, { store: at }]) => [as, at])),
      listeners: listeners?.(run, index, planned.length) ?? [],
    }).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'GrokRunError')
        throw new RunError(`${run.name} (seed ${run.seed}): ${error.message}`, { cause: error });
      throw error;
    });
    const { manifest, history, status } = result;
    const record = recordOf(manifest, history, store.where);
    runs.push({ name: run.name, role: run.role, seed: run.seed, record, manifest, history });
    if (status === 'interrupted') return { status, runs };
    const ref = { run: manifest.run, paramsSha256: manifest.paramsSha256! };
    finished.set(keyOf(run), { ref, store, folder });
  }
  return { status: 'finished', runs };
}

/** Name of a run's folder: `div97-transformer64-logit+hard-s42-0123456789`. */
export function folderOf(slug: string, run: string): string {
  return `${slug}-${run.slice(0, 10)}`;
}

/** The plan of a study's folder, or undefined where there is none. @throws InputError when it is damaged. */
export async function readPlan(root: Store): Promise<Plan | undefined> {
  const bytes = await root.read('plan.json');
  if (bytes === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new InputError(`${root.where}/plan.json: must be JSON (${(error as Error).message})`);
  }
  return checkPlan(value, `${root.where}/plan.json`);
}

/** Makes a folder this plan's. @throws InputError when it is another's, or the backend cannot be had. */
export async function claimFolder(
  plan: Plan,
  { root, registry, execution, fresh }: Pick<PlanHost, 'root' | 'registry' | 'execution' | 'fresh'>,
): Promise<void> {
  const there = await readPlan(root);
  if (there !== undefined) {
    if (canonicalJson(there) === canonicalJson(plan)) return;
    throw new InputError(
      `${root.where}: holds another plan ("${there.name}", seeds ${there.seeds.join(', ')}); choose another folder`,
    );
  }
  const files = (await root.list('')).filter((name) => !name.startsWith('.'));
  if (files.length > 0)
    throw new InputError(
      `${root.where}: is not a study's folder (it holds ${files[0]}); choose another folder`,
    );
  // Opened once before anything is written: an absent backend must leave no trace.
  await (await openBackend(registry, { ...fresh, ...execution })).dispose();
  const text = `${JSON.stringify(plan, null, 2)}\n`;
  await root.write('plan.json', new TextEncoder().encode(text));
}
