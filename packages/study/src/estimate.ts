/** Estimates a study's progress and remaining time from the seconds per epoch so far. */
import { countEpochs } from '@grok/core/internal';
import { median } from './stats/summary.js';
import { isLost, type StudyRun } from './study-run.js';

/** Progress of a study; seconds are wall time. */
export interface Estimate {
  /** Share of the total training time that is done (0–1). */
  readonly done: number;
  /** Null before the first timed epoch. */
  readonly secondsLeft: number | null;
}

/** Seconds per epoch of a run; null before any epoch was timed. */
export type Pace = (run: StudyRun) => number | null;

/** The kind of a run for timing: teacher or arm, and override; seeds do not matter. */
export const runKind = ({ name, override = '' }: Pick<StudyRun, 'name' | 'override'>): string =>
  `${override}/${name}`;

/** The pace of runs so far: by kind if that kind was timed, else over all runs. */
export function measurePace(runs: readonly StudyRun[]): Pace {
  const timed = runs.flatMap((run) => {
    const { history = [] } = run;
    const epochs = history.at(-1)?.epoch;
    if (epochs === undefined) return [];
    const seconds = history.reduce((sum, row) => sum + row.time.seconds, 0);
    return [{ kind: runKind(run), seconds: seconds / epochs }];
  });
  return paceFrom(timed);
}

/** A pace from seconds per epoch, by kind. */
export function paceFrom(timed: readonly { kind: string; seconds: number }[]): Pace {
  const all = median(timed.map(({ seconds }) => seconds));
  const of = new Map<string, number[]>();
  for (const { kind, seconds } of timed) of.set(kind, [...(of.get(kind) ?? []), seconds]);
  return (run) => median(of.get(runKind(run)) ?? []) ?? all;
}

/**
 * Estimates the remaining time with `slots` parallel runs; runs that may stop early count in full until they
 * stop.
 */
export function estimate(runs: readonly StudyRun[], slots: number, pace: Pace): Estimate {
  let [behind, ahead, longest] = [0, 0, 0];
  const counted = new Set<string>();
  for (const run of runs) {
    if (isLost(run)) continue;
    if (run.run !== undefined && counted.has(run.run)) continue;
    if (run.run !== undefined) counted.add(run.run);
    const seconds = pace(run);
    const last = run.history?.at(-1);
    const epochs = countEpochs(run.experiment, last);
    if (seconds === null || epochs === undefined) return { done: 0, secondsLeft: null };
    const done = last?.epoch ?? 0;
    const left = run.state === 'finished' ? 0 : (epochs - done) * seconds;
    behind += done * seconds;
    ahead += left;
    longest = Math.max(longest, left);
  }
  return {
    done: behind + ahead === 0 ? 1 : behind / (behind + ahead),
    secondsLeft: Math.max(longest, ahead / slots),
  };
}
