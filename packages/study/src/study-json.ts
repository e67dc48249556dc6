/** A study as JSON, for other programs: runs, arms and comparisons; values that vary between equal studies are under `time`. */
import { type StudySummary, summarize } from './compare.js';
import type { Plan } from './plan.js';
import type { RunRecord } from './record.js';
import type { StudyRun } from './study-run.js';
import { type TestedHypothesis, testHypotheses } from './test-hypotheses.js';

/** A run of a study as JSON; unknown values are null. */
export interface RunJson {
  readonly key: string;
  readonly name: string;
  readonly role: StudyRun['role'];
  readonly seed: number;
  readonly override: string | null;
  readonly state: StudyRun['state'];
  readonly run: string | null;
  /** Path in the study folder. */
  readonly folder: string | null;
  readonly error: string | null;
  readonly result: Omit<
    RunRecord,
    'run' | 'seed' | 'status' | 'out' | 'seconds' | 'secondsPerEpoch' | 'peakMemoryBytes'
  > | null;
  readonly time: Pick<RunRecord, 'seconds' | 'secondsPerEpoch'> | null;
}
/** The output of `grok study table --json`. */
export interface StudyJson extends StudySummary {
  readonly name: string;
  /** Changes to the plan of that name. */
  readonly changes: readonly string[];
  readonly seeds: readonly number[];
  readonly runs: readonly RunJson[];
  /** For plans with hypotheses. */
  readonly hypotheses?: readonly TestedHypothesis[];
}

/** A study as plain data; for equal runs, only `time` differs. */
export function studyToJson(plan: Plan, runs: readonly StudyRun[]): StudyJson {
  return {
    name: plan.name,
    changes: plan.changes ?? [],
    seeds: plan.seeds,
    runs: runs.map(runToJson),
    ...summarize(plan, runs),
    ...(plan.hypotheses === undefined ? {} : { hypotheses: testHypotheses(plan, runs) }),
  };
}

function runToJson({
  key,
  name,
  role,
  seed,
  override,
  state,
  run,
  folder,
  error,
  record,
}: StudyRun): RunJson {
  const known = {
    ...{ key, name, role, seed, override: override ?? null, state },
    ...{ run: run ?? null, folder: folder ?? null, error: error ?? null },
  };
  if (record === undefined) return { ...known, result: null, time: null };
  // Peak memory depends on how often a run was restarted, so it is not compared.
  const { run: _r, seed: _s, status: _t, out: _o, peakMemoryBytes: _m, ...rest } = record;
  const { seconds, secondsPerEpoch, ...result } = rest;
  return { ...known, result, time: { seconds, secondsPerEpoch } };
}
