/**
 * Epochs to a validation accuracy as censored times, for a run, for an arm over its seeds, and for
 * two arms over their shared seeds. A failed run is censored at its last epoch, every run at the
 * horizon.
 */
import { epochsTo, thresholds } from '@grok/metrics';
import type { Plan } from './plan.js';
import { type PairedPrenticeWilcoxon, pairedPrenticeWilcoxon } from './stats/paired-censored.js';
import { wilson } from './stats/proportion.js';
import {
  type RestrictedEstimate,
  restrictedDifference,
  restrictedMeanInterval,
} from './stats/restricted.js';
import { type Duration, kaplanMeier, logRank, medianTime } from './stats/survival.js';
import { hasBegun, type StudyRun } from './study-run.js';

/** The validation accuracies whose times are measured, 0–1. */
export const TIMED_ACCURACIES: readonly number[] = thresholds;
/** Number of consecutive epochs that count as sustained. */
export const SUSTAINED_FOR = 20;

/** The outcome that is timed. */
export interface TimedOutcome {
  /** Validation accuracy, 0–1. */
  readonly threshold: number;
  /** Epochs at which every run is censored. */
  readonly horizon: number;
  /** Number of consecutive epochs that must have it; the first one counts (default 1). */
  readonly sustained?: number;
}
/** Times of an arm over its seeds, in epochs. */
export interface ArmTimes {
  readonly planned: number;
  /** Number of runs that have ended. */
  readonly ended: number;
  /** Number of these that reached the threshold by the horizon. */
  readonly reached: number;
  /** Wilson's 95 % interval of that share; null if no run has ended. */
  readonly rate: readonly [number, number] | null;
  /** Kaplan–Meier median; null if fewer than half reached the threshold. */
  readonly median: number | null;
  readonly restrictedMean: RestrictedEstimate | null;
}
/** Two arms over the seeds for which both runs have ended; differences are first − second. */
export interface PairedTimes {
  readonly seeds: readonly number[];
  /** Seeds of the plan that have not ended. */
  readonly missing: readonly number[];
  /** Seeds with a run that failed before its first epoch, so that they have no pair. */
  readonly lost: readonly number[];
  readonly reached: readonly [number, number];
  readonly restrictedMeans: readonly [number, number] | null;
  readonly difference: RestrictedEstimate | null;
  readonly test: PairedPrenticeWilcoxon | null;
  readonly logRankP: number | null;
}

/** Name of a run's arm: `feature`, or `decay-0/feature` under an override. */
export function nameArm({ name, override }: Pick<StudyRun, 'name' | 'override'>): string {
  return override === undefined ? name : `${override}/${name}`;
}

/** Time of a run that finished or failed; undefined for other runs. */
export function timeRun(
  run: StudyRun,
  { threshold, horizon, sustained = 1 }: TimedOutcome,
): Duration | undefined {
  const isOver = run.state === 'finished' || run.state === 'failed';
  if (!isOver || !hasBegun(run)) return undefined;
  const reached = epochsTo(run.history, threshold, { sustained });
  if (reached !== null && reached <= horizon) return { time: reached, observed: true };
  return { time: Math.min(run.history.at(-1)?.epoch ?? 0, horizon), observed: false };
}

/** Times of an arm's ended runs, by seed. */
export function timeArm(
  runs: readonly StudyRun[],
  arm: string,
  outcome: TimedOutcome,
): ReadonlyMap<number, Duration> {
  const own = runs.filter((run) => nameArm(run) === arm);
  return new Map(
    own.flatMap((run) => {
      const duration = timeRun(run, outcome);
      return duration === undefined ? [] : [[run.seed, duration] as const];
    }),
  );
}

/** Summary of an arm's times. */
export function summarizeTimes(
  runs: readonly StudyRun[],
  arm: string,
  outcome: TimedOutcome,
): ArmTimes {
  const times = [...timeArm(runs, arm, outcome).values()];
  const reached = countReached(times);
  const known = times.length > 0;
  return {
    planned: runs.filter((run) => nameArm(run) === arm).length,
    ended: times.length,
    reached,
    rate: known ? wilson(reached, times.length) : null,
    median: medianTime(kaplanMeier(times)),
    restrictedMean: known ? restrictedMeanInterval(times, outcome.horizon) : null,
  };
}

/** Compares two arms of a plan over the seeds for which both runs have ended. */
export function compareTimes(
  { seeds: planned }: Pick<Plan, 'seeds'>,
  runs: readonly StudyRun[],
  [arm, against]: readonly [arm: string, against: string],
  outcome: TimedOutcome,
): PairedTimes {
  const [mine, theirs] = [timeArm(runs, arm, outcome), timeArm(runs, against, outcome)];
  const seeds = planned.filter((seed) => mine.has(seed) && theirs.has(seed));
  const others = planned.filter((seed) => !seeds.includes(seed));
  const lost = others.filter((seed) =>
    runs.some(
      (run) =>
        run.seed === seed &&
        [arm, against].includes(nameArm(run)) &&
        (run.state === 'failed' || run.state === 'blocked') &&
        timeRun(run, outcome) === undefined,
    ),
  );
  const missing = others.filter((seed) => !lost.includes(seed));
  const pick = (times: ReadonlyMap<number, Duration>): readonly Duration[] =>
    seeds.flatMap((seed) => times.get(seed) ?? []);
  const [first, second] = [pick(mine), pick(theirs)];
  const found = {
    ...{ seeds, missing, lost },
    reached: [countReached(first), countReached(second)] as const,
  };
  if (seeds.length === 0)
    return { ...found, restrictedMeans: null, difference: null, test: null, logRankP: null };
  const { horizon } = outcome;
  const restrictedMeanTime = (all: readonly Duration[]): number =>
    restrictedMeanInterval(all, horizon).value;
  return {
    ...found,
    restrictedMeans: [restrictedMeanTime(first), restrictedMeanTime(second)],
    difference: restrictedDifference(first, second, horizon),
    test: pairedPrenticeWilcoxon(first, second),
    logRankP: logRank(first, second).p,
  };
}

function countReached(times: readonly Duration[]): number {
  return times.filter(({ observed }) => observed).length;
}
