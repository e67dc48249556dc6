/** How far a study is and how long it will take yet, from the seconds that epochs took so far. */
import { countEpochs } from '@grok/core/internal';
import { median } from './stats/summary.js';
import { isLost, type StudyRun } from './study-run.js';

/** A study's progress; seconds are of wall time. */
export interface Estimate {
  /** Share of all epochs' time that is behind, 0–1. */
  readonly done: number;
  /** Null while no epoch was timed. */
  readonly secondsLeft: number | null;
}

/** Seconds that an epoch of a run takes; null while none of any run was timed. */
export type Pace = (run: StudyRun) => number | null;

/** What runs of one pace have in common: teachers, arms and overrides differ, seeds do not. */
export const runKind = ({ name, override = '' }: Pick<StudyRun, 'name' | 'override'>): string =>
  `${override}/${name}`;

/** The pace of runs so far: by kind where one of it was timed, else over all. */
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

/** A pace from seconds an epoch, by kind. */
export function paceFrom(timed: readonly { kind: string; seconds: number }[]): Pace {
  const all = median(timed.map(({ seconds }) => seconds));
  const of = new Map<string, number[]>();
  for (const { kind, seconds } of timed) of.set(kind, [...(of.get(kind) ?? []), seconds]);
  return (run) => median(of.get(runKind(run)) ?? []) ?? all;
}

/** Estimates what is left on `slots` at once; runs that stop early count as whole until they do. */
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
