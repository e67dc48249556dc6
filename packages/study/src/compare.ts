/**
 * Summarizes a study: arms over seeds, and arms against the control. Comparisons chosen in
 * advance form one family with Holm's correction; all others are marked as exploratory.
 */

import type { Plan } from './plan.js';
import { bootstrapInterval } from './stats/bootstrap.js';
import { holm } from './stats/holm.js';
import { effectSizes, pairedT, wilcoxon } from './stats/paired.js';
import { type Summary, summary } from './stats/summary.js';
import {
  type Duration,
  kaplanMeier,
  logRank,
  medianTime,
  restrictedMean,
} from './stats/survival.js';
import { isLost, type StudyRun } from './study-run.js';

/** Validation accuracies whose epochs are in the table. */
export const TABLE_THRESHOLDS: readonly string[] = ['0.5', '0.9', '0.99'];
/** The threshold used in comparisons. */
const GROKKED = '0.99';
const CONTROL = 'none';

type Interval = readonly [number, number] | null;
/** Epochs to an accuracy over seeds; a run that never reached it is censored. */
export interface TimeSummary {
  readonly reached: number;
  readonly of: number;
  /** Kaplan–Meier median; null if half never reach it. */
  readonly median: number | null;
  /** Mean epochs, restricted to the horizon. */
  readonly restrictedMean: number;
  readonly interval: Interval;
  readonly horizon: number;
}
/** Summary of an arm or a kind of teacher over its seeds. */
export interface ArmSummary {
  readonly name: string;
  readonly override?: string;
  readonly role: StudyRun['role'];
  readonly planned: number;
  readonly finished: number;
  readonly failed: number;
  readonly leaked: boolean;
  readonly finalValAccuracy: Summary & { readonly interval: Interval };
  /** By accuracy (0–1), as text. */
  readonly epochsTo: Readonly<Record<string, TimeSummary | null>>;
}
/** Comparison of an arm with the control over the seeds that both finished; differences are arm − control. */
export interface Comparison {
  readonly arm: string;
  readonly against: string;
  readonly override?: string;
  /** Epochs are restricted to the length of the shortest run that never reached the threshold. */
  readonly measure: 'epochs to 99 %' | 'final validation accuracy';
  readonly kind: 'primary' | 'exploratory';
  readonly n: number;
  readonly difference: number;
  /** 95 % interval of the paired t test. */
  readonly interval: Interval;
  readonly t: number | null;
  readonly pT: number | null;
  readonly w: number;
  readonly pWilcoxon: number;
  /** Only for the primary family. */
  readonly holm: { readonly t: number | null; readonly wilcoxon: number } | null;
  readonly dz: number | null;
  readonly dav: number | null;
  /** d_z with Hedges' correction. */
  readonly gz: number | null;
  readonly rankBiserial: number | null;
  readonly logRankP: number | null;
}
/** The results of a study so far. */
export interface StudySummary {
  readonly arms: readonly ArmSummary[];
  readonly comparisons: readonly Comparison[];
}

/** Summarizes the runs of a plan; unfinished runs are counted but left out. */
export function summarize(plan: Plan, runs: readonly StudyRun[]): StudySummary {
  const groups = new Map<string, StudyRun[]>();
  for (const run of runs) {
    const key = `${run.override ?? ''}/${run.name}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  // A plan with hypotheses tests only those in advance.
  const family = plan.hypotheses ? [] : (plan.family ?? ['logit', 'attention', 'feature']);
  const found = [...groups.values()].flatMap((group) => {
    const { override, name, role } = group[0]!;
    const control = groups.get(`${override ?? ''}/${CONTROL}`);
    if (control === undefined || role === 'teacher' || name === CONTROL) return [];
    return [
      compare(group, control, 'epochs to 99 %', family.includes(name)),
      compare(group, control, 'final validation accuracy', false),
    ].filter((item) => item !== undefined);
  });
  return { arms: [...groups.values()].map(summarizeArm), comparisons: corrected(found) };
}

function summarizeArm(group: readonly StudyRun[]): ArmSummary {
  const { name, override, role } = group[0]!;
  const done = group.filter(({ state }) => state === 'finished');
  const accuracies = done.map(({ record }) => record!.finalValAccuracy!);
  return {
    name,
    ...(override === undefined ? {} : { override }),
    role,
    planned: group.length,
    finished: done.length,
    failed: group.filter(isLost).length,
    leaked: done.some(({ record }) => record!.leaked),
    finalValAccuracy: { ...summary(accuracies), interval: bootstrapInterval(accuracies) },
    epochsTo: Object.fromEntries(
      TABLE_THRESHOLDS.map((threshold) => [threshold, summarizeTime(done, threshold)]),
    ),
  };
}

function summarizeTime(done: readonly StudyRun[], threshold: string): TimeSummary | null {
  if (done.length === 0) return null;
  const horizon = chooseHorizon(done, threshold);
  const times = done.map((run) => censoredTime(run, threshold, horizon));
  const curve = kaplanMeier(times);
  return {
    reached: times.filter(({ observed }) => observed).length,
    of: done.length,
    median: medianTime(curve),
    restrictedMean: restrictedMean(curve, horizon),
    interval: bootstrapInterval(times.map(({ time }) => time)),
    horizon,
  };
}

/** Beyond the shortest run that never reached the threshold, not all runs are observed; a run that reached it may stop early. */
function chooseHorizon(done: readonly StudyRun[], threshold: string): number {
  const lengths = done.map(({ record }) => record!.epochs);
  const never = done.filter(({ record }) => (record!.epochsTo[threshold] ?? null) === null);
  return never.length === 0
    ? Math.max(...lengths)
    : Math.min(...never.map(({ record }) => record!.epochs));
}

function censoredTime({ record }: StudyRun, threshold: string, horizon: number): Duration {
  const epoch = record!.epochsTo[threshold] ?? null;
  return epoch === null || epoch > horizon
    ? { time: horizon, observed: false }
    : { time: epoch, observed: true };
}

function compare(
  arm: readonly StudyRun[],
  control: readonly StudyRun[],
  measure: Comparison['measure'],
  primary: boolean,
): Comparison | undefined {
  const pairs = arm.flatMap((run) => {
    const other = control.find(({ seed }) => seed === run.seed);
    return run.state === 'finished' && other?.state === 'finished' ? [[run, other] as const] : [];
  });
  if (pairs.length < 2) return undefined;
  const horizon = chooseHorizon(pairs.flat(), GROKKED);
  const durations = ([0, 1] as const).map((at) =>
    pairs.map((pair) => censoredTime(pair[at], GROKKED, horizon)),
  );
  const isTime = measure === 'epochs to 99 %';
  const [a, b] = ([0, 1] as const).map((at) =>
    isTime
      ? durations[at]!.map(({ time }) => time)
      : pairs.map((pair) => pair[at].record!.finalValAccuracy!),
  ) as [number[], number[]];
  const { difference, interval, t, p } = pairedT(a, b);
  const signed = wilcoxon(a, b);
  const sizes = effectSizes(a, b);
  const { name, override } = arm[0]!;
  return {
    arm: name,
    against: CONTROL,
    ...(override === undefined ? {} : { override }),
    measure,
    kind: primary ? 'primary' : 'exploratory',
    n: pairs.length,
    difference,
    interval,
    t,
    pT: p,
    w: signed.w,
    pWilcoxon: signed.p,
    holm: null,
    dz: sizes.dz,
    dav: sizes.dav,
    gz: sizes.dz === null ? null : sizes.dz * sizes.hedges,
    rankBiserial: sizes.rankBiserial,
    logRankP: isTime ? logRank(durations[0]!, durations[1]!).p : null,
  };
}

/** Holm's correction over the primary comparisons of each override; a t test without a value counts as p = 1. */
function corrected(found: readonly Comparison[]): readonly Comparison[] {
  return found.map((item) => {
    if (item.kind !== 'primary') return item;
    const own = found.filter((x) => x.kind === 'primary' && x.override === item.override);
    const at = own.indexOf(item);
    const t = holm(own.map(({ pT }) => pT ?? 1))[at]!;
    const byRanks = holm(own.map(({ pWilcoxon }) => pWilcoxon))[at]!;
    return { ...item, holm: { t: item.pT === null ? null : t, wilcoxon: byRanks } };
  });
}
