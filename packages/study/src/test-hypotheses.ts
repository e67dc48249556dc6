/** The statements of a plan, each with its test, its log-rank beside it, and restricted means to the plan's horizon. */
import { InputError } from '@grok/core';
import { quote } from '@grok/core/internal';
import { epochsTo } from '@grok/metrics';
import type { Hypothesis } from './hypotheses.js';
import type { Plan } from './plan.js';
import { holm } from './stats/holm.js';
import { pairedPrenticeWilcoxon } from './stats/paired-censored.js';
import { type Duration, kaplanMeier, logRank, restrictedMean } from './stats/survival.js';
import { hasBegun, type StudyRun } from './study-run.js';

/** What came of a statement; times are epochs. */
export interface TestedHypothesis extends Hypothesis {
  /** Seeds of which both runs have ended. */
  readonly seeds: readonly number[];
  /** Seeds of the plan that are left: while there are any, nothing is decided. */
  readonly missing: readonly number[];
  readonly horizon: number;
  /** Runs that came to the threshold by the horizon: the arm's, and those of the other. */
  readonly reached: readonly [number, number];
  readonly restrictedMeans: readonly [number, number] | null;
  /** Of the paired Prentice–Wilcoxon test. */
  readonly z: number | null;
  readonly p: number | null;
  /** Corrected after Holm over the whole family; null until all of it is there. */
  readonly adjusted: number | null;
  readonly logRankP: number | null;
}

/** Tests a plan's family on its runs. @throws InputError when the plan states nothing. */
export function testHypotheses(plan: Plan, runs: readonly StudyRun[]): readonly TestedHypothesis[] {
  const { hypotheses } = plan;
  if (hypotheses === undefined)
    throw new InputError(
      `plan ${quote(plan.name)}: states no hypotheses; write them into the plan`,
    );
  const { family, outcome } = hypotheses;
  const tested = family.map((hypothesis) => testOne(plan, runs, { ...outcome, ...hypothesis }));
  const p = tested.flatMap((one) => (one.p === null || one.missing.length > 0 ? [] : [one.p]));
  if (p.length < family.length) return tested;
  const adjusted = holm(p);
  return tested.map((one, i) => ({ ...one, adjusted: adjusted[i] ?? null }));
}

function testOne(
  plan: Plan,
  runs: readonly StudyRun[],
  hypothesis: Hypothesis & { readonly threshold: number; readonly horizon: number },
): TestedHypothesis {
  const { arm, against, threshold, horizon } = hypothesis;
  const timesOf = (name: string): ReadonlyMap<number, Duration> =>
    new Map(
      runs
        .filter(({ override, name: own }) => name === (override ? `${override}/${own}` : own))
        .flatMap((run) => {
          const duration = durationOf(run, threshold, horizon);
          return duration === undefined ? [] : [[run.seed, duration] as const];
        }),
    );
  const [mine, theirs] = [timesOf(arm), timesOf(against)];
  const seeds = plan.seeds.filter((seed) => mine.has(seed) && theirs.has(seed));
  const pick = (times: ReadonlyMap<number, Duration>): readonly Duration[] =>
    seeds.flatMap((seed) => times.get(seed) ?? []);
  const [first, second] = [pick(mine), pick(theirs)];
  const missing = plan.seeds.filter((seed) => !seeds.includes(seed));
  const countOf = (all: readonly Duration[]): number =>
    all.filter(({ observed }) => observed).length;
  const found = {
    ...hypothesis,
    seeds,
    missing,
    reached: [countOf(first), countOf(second)] as const,
  };
  if (seeds.length === 0)
    return { ...found, restrictedMeans: null, z: null, p: null, adjusted: null, logRankP: null };
  const meanOf = (all: readonly Duration[]): number => restrictedMean(kaplanMeier(all), horizon);
  const { z, p } = pairedPrenticeWilcoxon(first, second);
  return {
    ...found,
    restrictedMeans: [meanOf(first), meanOf(second)],
    ...{ z, p, adjusted: null, logRankP: logRank(first, second).p },
  };
}

/** The time of a run that has ended, finished or lost; undefined of one that has not. */
function durationOf(run: StudyRun, threshold: number, horizon: number): Duration | undefined {
  const isOver = run.state === 'finished' || run.state === 'failed';
  if (!isOver || !hasBegun(run)) return undefined;
  const reached = epochsTo(run.history, threshold);
  if (reached !== null && reached <= horizon) return { time: reached, observed: true };
  return { time: Math.min(run.history.at(-1)?.epoch ?? 0, horizon), observed: false };
}
