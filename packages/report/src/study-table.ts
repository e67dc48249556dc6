/** The table of a study: arms over seeds, arms against the control, every run; times apart, for they never repeat. */
import { printable } from '@grok/core/internal';
import {
  type ArmSummary,
  type Comparison,
  describePlan,
  type Plan,
  type StudyRun,
  summarize,
  summary,
  TABLE_THRESHOLDS,
} from '@grok/study';
import { layOut, markdown, type TableStyle } from './layout.js';
import { timesTables } from './study-times.js';
import { LEAK_NOTE, percent, probability, range } from './table.js';

const NONE = '–';

/** Options of a study's table. */
export interface StudyTableOptions {
  readonly style: TableStyle;
  /** Whether to include durations (default true); without them, the output is reproducible. */
  readonly times?: boolean;
  /** Maximum number of characters per line of text; default: as many as needed. */
  readonly width?: number | undefined;
}

/** Formats the whole table; equal runs give equal text, except for times. */
export function studyTable(
  plan: Plan,
  runs: readonly StudyRun[],
  { style, times = true, width }: StudyTableOptions,
): string {
  const { arms, comparisons } = summarize(plan, runs);
  const about = describePlan(plan);
  const grid = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
    layOut(head, rows, { style, width }).trimEnd();
  const safe = style === 'markdown' ? markdown : printable;
  const title = (text: string): string => (style === 'markdown' ? `## ${text}` : text);
  const of = (kind: Comparison['kind']): Comparison[] => comparisons.filter((c) => c.kind === kind);
  const lost = runs.filter(({ error }) => error !== undefined);
  const primary = [
    title('Epochs to 99 %, the arms chosen beforehand against the control'),
    of('primary').length === 0
      ? 'nothing to compare yet'
      : grid([...COMPARISON_HEAD, 'p (t), Holm', 'p (W), Holm'], of('primary').map(primaryRow)),
  ];
  const statedParts = timesTables(plan, runs).flatMap((table) => [
    title(table.title),
    grid(table.head, table.rows),
    ...(table.note === undefined ? [] : [table.note]),
  ]);
  const parts = [
    style === 'markdown' ? `# ${safe(about.title)}` : about.title,
    `${safe(about.summary)} Seeds ${plan.seeds.join(', ')}; ${formatCounts(runs)}.`,
    title('Arms'),
    grid(ARM_HEAD, arms.map(armRow)),
    'Accuracies in %, intervals 95 % (bootstrap, BCa). Epochs: runs that came to it, Kaplan–Meier median, mean restricted to the horizon (a run that never comes to it counts as longer, not as missing).',
    ...(arms.some(({ leaked }) => leaked) ? [LEAK_NOTE] : []),
    ...(plan.hypotheses === undefined ? primary : statedParts),
    title('Exploratory: uncorrected, to find questions, not to answer them'),
    of('exploratory').length === 0
      ? 'nothing to compare yet'
      : grid(
          ['measure', ...COMPARISON_HEAD],
          of('exploratory').map((c) => [c.measure, ...comparisonRow(c)]),
        ),
    'Differences are arm − control over the same seeds. Of epochs they are differences of restricted means: a run that never comes to it counts as the horizon. The log-rank test takes it as censored. t and W: paired t and exact Wilcoxon, two-sided; g_z: d_z with Hedges’ correction; r: rank-biserial.',
    title('Runs'),
    grid(RUN_HEAD, runs.map(runRow)),
    ...(lost.length === 0
      ? []
      : [lost.map(({ key, error }) => `${key}: ${safe(error ?? '')}`).join('\n')]),
    ...(times ? [title('Time'), grid(['run', 's/epoch', 'hours in all'], timeRows(runs))] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** `24 of 30 runs finished, 2 failed, 4 blocked`. */
function formatCounts(runs: readonly StudyRun[]): string {
  const count = (state: StudyRun['state']): number => runs.filter((r) => r.state === state).length;
  const others = (['failed', 'damaged', 'blocked'] as const).filter((state) => count(state) > 0);
  return [
    `${count('finished')} of ${runs.length} runs finished`,
    ...others.map((state) => `${count(state)} ${state}`),
  ].join(', ');
}

const ARM_HEAD = [
  'run',
  'seeds',
  'final mean ± sd',
  'median',
  '95 % interval',
  ...TABLE_THRESHOLDS.flatMap((t) => [`to ${+t * 100} %`, 'median', 'mean']),
  'mean’s interval',
];
function armRow(arm: ArmSummary): string[] {
  const { finalValAccuracy: final, epochsTo } = arm;
  const times = TABLE_THRESHOLDS.map((threshold) => epochsTo[threshold] ?? null);
  return [
    `${formatArm(arm)}${arm.leaked ? ' (leaked)' : ''}`,
    `${arm.finished}/${arm.planned}`,
    final.mean === null
      ? NONE
      : `${percent(final.mean)} ± ${final.sd === null ? NONE : percent(final.sd)}`,
    percent(final.median),
    range(final.interval, percent),
    ...times.flatMap((time) =>
      time === null
        ? [NONE, NONE, NONE]
        : [
            `${time.reached}/${time.of}`,
            time.median === null ? `> ${time.horizon}` : String(time.median),
            time.restrictedMean.toFixed(1),
          ],
    ),
    range(times.at(-1)?.interval ?? null, (epochs) => epochs.toFixed(1)),
  ];
}

const COMPARISON_HEAD = [
  ...['arm', 'n', 'difference', '95 % interval', 't', 'p (t)', 'W', 'p (W)'],
  ...['d_z', 'g_z', 'd_av', 'r', 'p (log-rank)'],
];
function comparisonRow(c: Comparison): string[] {
  const value = (x: number): string =>
    c.measure === 'epochs to 99 %' ? x.toFixed(1) : (100 * x).toFixed(2);
  const size = (x: number | null): string => (x === null ? NONE : x.toFixed(3));
  return [
    `${formatArm({ name: c.arm, ...(c.override === undefined ? {} : { override: c.override }) })} − ${c.against}`,
    String(c.n),
    value(c.difference),
    range(c.interval, value),
    size(c.t),
    probability(c.pT),
    String(c.w),
    probability(c.pWilcoxon),
    ...[c.dz, c.gz, c.dav, c.rankBiserial].map(size),
    probability(c.logRankP),
  ];
}
const primaryRow = (c: Comparison): string[] => [
  ...comparisonRow(c),
  probability(c.holm?.t ?? null),
  probability(c.holm?.wilcoxon ?? null),
];

const RUN_HEAD = [
  ...['run', 'state', 'id', 'epochs', ...TABLE_THRESHOLDS.map((t) => `to ${+t * 100} %`)],
  ...['final', 'split', 'parameters sha256'],
];
function runRow({ key, state, record, run }: StudyRun): string[] {
  const id = run?.slice(0, 10) ?? NONE;
  if (record === undefined) return [key, state, id, ...Array(RUN_HEAD.length - 3).fill(NONE)];
  return [
    key,
    state,
    id,
    String(record.epochs),
    ...TABLE_THRESHOLDS.map((t) => String(record.epochsTo[t] ?? NONE)),
    percent(record.finalValAccuracy),
    record.splitHash.slice(0, 12),
    record.paramsSha256?.slice(0, 12) ?? NONE,
  ];
}

function timeRows(runs: readonly StudyRun[]): string[][] {
  return [...new Set(runs.map(formatArm))].map((name) => {
    const done = runs.filter((run) => formatArm(run) === name && run.state === 'finished');
    const each = summary(done.map(({ record }) => record!.seconds / record!.epochs));
    const hours = done.reduce((sum, { record }) => sum + record!.seconds, 0) / 3600;
    return [
      name,
      each.mean === null
        ? NONE
        : `${each.mean.toFixed(3)}${each.sd === null ? '' : ` ± ${each.sd.toFixed(3)}`}`,
      hours.toFixed(3),
    ];
  });
}

function formatArm({
  name,
  override,
}: {
  readonly name: string;
  readonly override?: string;
}): string {
  return override === undefined ? name : `${override}/${name}`;
}
