/** Runs a short trial of every kind of run to estimate a plan's time in advance. */
import { type Execution, type Experiment, memoryStore, type Registry, startRun } from '@grok/core';
import { bindTeachers, type TeachingRun } from './bind.js';
import { type Pace, paceFrom, runKind } from './estimate.js';
import { orderByTeachers, type PlannedRun } from './planned-runs.js';
import { median } from './stats/summary.js';

const EPOCHS = 2;

/** Results of the timing trials. */
export interface Calibration {
  readonly pace: Pace;
  /** Seconds of a run outside its epochs: compilation, activations of the teacher, checkpoints. */
  readonly startup: number;
}

/** Trains every kind of run of the first seed for two epochs in memory, without trackers. */
export async function calibrate(
  runs: readonly PlannedRun[],
  host: {
    readonly registry: Registry;
    readonly execution?: Execution;
    readonly signal?: AbortSignal;
  },
): Promise<Calibration> {
  const trained = new Map<string, TeachingRun>();
  const timed: { kind: string; seconds: number }[] = [];
  const startups: number[] = [];
  const [first] = runs;
  for (const run of orderByTeachers(runs.filter(({ seed }) => seed === first?.seed))) {
    const began = seconds();
    const tried = await tryOut(run, trained, host);
    trained.set(run.key, tried);
    const epochs = tried.history.map((row) => row.time.seconds);
    // One row may cover both epochs.
    timed.push({ kind: runKind(run), seconds: Math.min(...epochs) * (epochs.length / EPOCHS) });
    startups.push(seconds() - began - epochs.reduce((sum, s) => sum + s, 0));
    if (host.signal?.aborted) break;
  }
  return { pace: paceFrom(timed), startup: median(startups) ?? 0 };
}

const seconds = (): number => performance.now() / 1000;

/** A short trial of one run, with its teachers' trial runs as teachers, however little they learned. */
async function tryOut(
  run: PlannedRun,
  trained: ReadonlyMap<string, TeachingRun>,
  {
    registry,
    execution,
    signal,
  }: { readonly registry: Registry; readonly execution?: Execution; readonly signal?: AbortSignal },
): Promise<TeachingRun> {
  const { trackers: _trackers, ...own } = execution ?? {};
  const needs = Object.fromEntries(
    Object.entries(run.needs).map(([as, { key }]) => [as, { key, at: 'last' as const }]),
  );
  const experiment = await bindTeachers({ experiment: shortened(run.experiment), needs }, trained);
  const teacherStores = Object.fromEntries(
    Object.entries(needs).flatMap(([as, { key }]) => {
      const store = trained.get(key)?.store;
      return store === undefined ? [] : [[as, store]];
    }),
  );
  const store = memoryStore();
  const { manifest, history } = await startRun(
    { experiment, execution: own },
    { registry, store, teacherStores, ...(signal === undefined ? {} : { signal }) },
  );
  return { manifest, history, store };
}

/** Shortens an experiment to two epochs and drops probes, stop conditions and requirements. */
function shortened(experiment: Experiment): Experiment {
  const { stop: _stop, require: _require, probes: _probes, ...rest } = experiment;
  return { ...rest, epochs: EPOCHS };
}
