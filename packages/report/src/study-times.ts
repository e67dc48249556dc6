/**
 * Tables of a plan that states hypotheses: its family of tests, arms by their rate and time, all thresholds,
 * and differences at each. What is not there yet is counted, and nothing is concluded from it.
 */
import {
  type ArmTimes,
  bootstrapInterval,
  compareTimes,
  isFinished,
  nameArm,
  type Plan,
  type RestrictedEstimate,
  type StudyRun,
  SUSTAINED_FOR,
  summarizeTimes,
  summary,
  type TestedHypothesis,
  TIMED_ACCURACIES,
  testHypotheses,
} from '@grok/study';
import type { Table } from './report/grid.js';
import { probability, range } from './table.js';

const NONE = '–';

/** The tables of a plan's hypotheses; none for a plan without hypotheses. */
export function timesTables(plan: Plan, runs: readonly StudyRun[]): readonly Table[] {
  if (plan.hypotheses === undefined) return [];
  const { horizon, threshold } = plan.hypotheses.outcome;
  return [
    hypothesesTable(plan, runs),
    armsTable(runs, horizon, threshold),
    thresholdsTable(runs, horizon, 1),
    thresholdsTable(runs, horizon, SUSTAINED_FOR),
    differencesTable(plan, runs, horizon, 1),
    differencesTable(plan, runs, horizon, SUSTAINED_FOR),
  ];
}

/** A verdict as text, such as `undecided: 3 of 10 pairs have ended`. */
export function describeVerdict(one: TestedHypothesis): string {
  const { seeds, missing, lost, verdict } = one;
  if (missing.length > 0)
    return `undecided: ${seeds.length} of ${seeds.length + missing.length} pairs have ended`;
  if (verdict === 'undecided') return 'undecided: other tests of the family are not complete';
  return lost.length === 0 ? verdict : `${verdict}; ${lost.length} pairs lost`;
}

function hypothesesTable(plan: Plan, runs: readonly StudyRun[]): Table {
  const tested = testHypotheses(plan, runs);
  return {
    name: 'table-hypotheses',
    title: 'Hypotheses, stated before the first run',
    note: 'p: exact paired Prentice–Wilcoxon test on censored epochs, two-sided; Holm: corrected over the whole family, once all of it has ended. The log-rank test ignores the pairing.',
    head: [
      ...[
        'hypothesis',
        'compared',
        'accuracy',
        'n',
        'came to it',
        'difference of restricted means',
      ],
      ...['p', 'p, Holm', 'p, log-rank', 'verdict'],
    ],
    rows: tested.map((one) => [
      one.name,
      `${one.arm} − ${one.against}`,
      formatPercent(one.threshold),
      String(one.seeds.length),
      one.seeds.length === 0 ? NONE : one.reached.join(', '),
      estimateText(one.difference),
      // While pairs are missing there is nothing to look at.
      ...[one.p, one.adjusted, one.logRankP].map((p) =>
        probability(one.missing.length > 0 ? null : p),
      ),
      describeVerdict(one),
    ]),
  };
}

/** A table of arms: share of runs, times to `primary` and to 99 %, and final accuracy, up to the horizon. */
export function armsTable(runs: readonly StudyRun[], horizon: number, primary: number): Table {
  const thresholds = [...new Set([primary, 0.99])];
  return {
    name: 'table-arms',
    title: `Arms, up to epoch ${horizon}`,
    note: 'Share: Wilson’s 95 % interval. Restricted mean: mean epochs without the accuracy, counted to the horizon at most, with its 95 % interval. Final accuracy: mean of the last epoch of each finished run, with its bootstrap interval.',
    head: [
      ...['arm', 'ended'],
      ...thresholds.flatMap((at) => [
        ...[`came to ${formatPercent(at)}`, 'share', 'median epoch', 'restricted mean'],
      ]),
      'final accuracy (%)',
    ],
    rows: listArms(runs).map((arm) => {
      const times = thresholds.map((threshold) =>
        summarizeTimes(runs, arm, { threshold, horizon }),
      );
      return [
        arm,
        endedText(times[0]),
        ...times.flatMap((found) => {
          const { ended, reached, rate } = found;
          return ended === 0
            ? [NONE, NONE, NONE, NONE]
            : [
                `${reached} of ${ended}`,
                range(rate, (share) => share.toFixed(2)),
                medianText(found, horizon),
                estimateText(found.restrictedMean),
              ];
        }),
        finalText(runs, arm),
      ];
    }),
  };
}

function thresholdsTable(runs: readonly StudyRun[], horizon: number, sustained: number): Table {
  return {
    name: sustained === 1 ? 'table-thresholds' : 'table-thresholds-sustained',
    title: `Epochs to each accuracy, ${howLong(sustained)}`,
    note: `In each cell: how many came to it, the Kaplan–Meier median, and the restricted mean to epoch ${horizon}.`,
    head: ['arm', 'ended', ...TIMED_ACCURACIES.map(formatPercent)],
    rows: listArms(runs).map((arm) => {
      const times = TIMED_ACCURACIES.map((threshold) =>
        summarizeTimes(runs, arm, { threshold, horizon, sustained }),
      );
      return [
        arm,
        endedText(times[0]),
        ...times.map((found) =>
          found.restrictedMean === null
            ? NONE
            : `${found.reached}; ${medianText(found, horizon)}; ${found.restrictedMean.value.toFixed(1)}`,
        ),
      ];
    }),
  };
}

function differencesTable(
  plan: Plan,
  runs: readonly StudyRun[],
  horizon: number,
  sustained: number,
): Table {
  const family = plan.hypotheses?.family ?? [];
  const pairs = [
    ...new Map(family.map(({ arm, against }) => [`${arm} − ${against}`, [arm, against] as const])),
  ];
  return {
    name: sustained === 1 ? 'table-differences' : 'table-differences-sustained',
    title: `Differences at each accuracy, ${howLong(sustained)}`,
    note: 'Secondary: differences of restricted means in epochs with 95 % intervals, and p of the log-rank test, uncorrected.',
    head: ['compared', 'n', ...TIMED_ACCURACIES.map(formatPercent)],
    rows: pairs.map(([title, pair]) => {
      const found = TIMED_ACCURACIES.map((threshold) =>
        compareTimes(plan, runs, pair, { threshold, horizon, sustained }),
      );
      return [
        title,
        String(found[0]?.seeds.length ?? 0),
        ...found.map(({ difference, logRankP }) =>
          difference === null ? NONE : `${estimateText(difference)}; ${probability(logRankP)}`,
        ),
      ];
    }),
  };
}

function listArms(runs: readonly StudyRun[]): readonly string[] {
  const students = runs.filter(({ role }) => role !== 'teacher');
  return [...new Set(students.map(nameArm))];
}

const howLong = (sustained: number): string =>
  sustained === 1 ? 'first reached' : `held for ${sustained} epochs`;
const formatPercent = (share: number): string => `${Number((100 * share).toPrecision(6))} %`;
const endedText = (times: ArmTimes | undefined): string =>
  times === undefined ? NONE : `${times.ended} of ${times.planned}`;

function medianText({ median }: ArmTimes, horizon: number): string {
  return median === null ? `> ${horizon}` : String(median);
}

function estimateText(estimate: RestrictedEstimate | null): string {
  if (estimate === null) return NONE;
  const show = (epochs: number): string => epochs.toFixed(1).replace('-', '−');
  const { value, interval } = estimate;
  return interval === null ? show(value) : `${show(value)} (${range(interval, show)})`;
}

function finalText(runs: readonly StudyRun[], arm: string): string {
  const finals = runs
    .filter((run) => nameArm(run) === arm)
    .filter(isFinished)
    .flatMap(({ record }) => record.finalValAccuracy ?? []);
  const { mean } = summary(finals);
  if (mean === null) return NONE;
  const show = (share: number): string => (100 * share).toFixed(2);
  const interval = bootstrapInterval(finals);
  return interval === null ? show(mean) : `${show(mean)} (${range(interval, show)})`;
}
