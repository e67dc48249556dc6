/** A short trial of every kind of run, so that a plan's time is known before it is spent. */
import {
  type Execution,
  type Experiment,
  memoryStore,
  type Registry,
  type Store,
  startRun,
  type TeacherRef,
} from '@grok/core';
import { kindOf, type Pace, paceFrom } from './estimate.js';
import { expandPlan, keyOf, type Plan, withTeachers } from './plan.js';
import { median } from './stats/summary.js';

const EPOCHS = 2;

/** What trials found. */
export interface Calibration {
  readonly pace: Pace;
  /** Seconds that a run takes beyond its epochs: compiling, its teacher's answers, checkpoints. */
  readonly startup: number;
}

/** Trains every kind of run of the plan's first seed for two epochs, in memory; nothing is kept, no tracker is told. */
export async function calibrate(
  plan: Plan,
  host: {
    readonly registry: Registry;
    readonly execution?: Execution;
    readonly signal?: AbortSignal;
  },
): Promise<Calibration> {
  const seconds = (): number => performance.now() / 1000;
  const { trackers: _trackers, ...execution } = host.execution ?? {};
  const trained = new Map<string, { ref: TeacherRef; store: Store }>();
  const timed: { kind: string; seconds: number }[] = [];
  const startups: number[] = [];
  for (const run of expandPlan({ ...plan, seeds: plan.seeds.slice(0, 1) })) {
    const needed = Object.entries(run.needs).map(
      ([as, name]) => [as, trained.get(keyOf({ ...run, name }))!] as const,
    );
    const store = memoryStore();
    const began = seconds();
    const { manifest, history } = await startRun(
      {
        experiment: withTeachers(
          shortened(run.experiment),
          Object.fromEntries(needed.map(([as, { ref }]) => [as, ref])),
        ),
        execution,
      },
      {
        registry: host.registry,
        store,
        teacherStores: Object.fromEntries(needed.map(([as, { store: at }]) => [as, at])),
        ...(host.signal === undefined ? {} : { signal: host.signal }),
      },
    );
    const ref = { run: manifest.run, paramsSha256: manifest.paramsSha256! };
    trained.set(keyOf(run), { ref, store });
    const epochs = history.map((row) => row.time.seconds);
    timed.push({ kind: kindOf(run), seconds: Math.min(...epochs) });
    startups.push(seconds() - began - epochs.reduce((sum, s) => sum + s, 0));
    if (host.signal?.aborted) break;
  }
  return { pace: paceFrom(timed), startup: median(startups) ?? 0 };
}

function shortened(experiment: Experiment): Experiment {
  const {
    stop: _stop,
    require: _require,
    probes: _probes,
    evalEvery: _every,
    ...rest
  } = experiment;
  return { ...rest, epochs: EPOCHS };
}
