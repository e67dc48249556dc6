/** `report.md`: the table, the figure and what it takes to check them. */
import { type Published, published } from './paper.js';
import {
  gridOf,
  type NamedRecord,
  reproductionColumns,
  runTable,
  type TableStyle,
} from './table.js';

/** What a report of a reproduction is made of. */
export interface ReproductionReport {
  readonly title: string;
  readonly summary: string;
  /** In the order of the table: the teacher, the control, the students. */
  readonly runs: readonly NamedRecord[];
  /** The command that makes this again. */
  readonly command: string;
  /** Numbers to stand beside, by the runs' names; default: the paper's. */
  readonly beside?: Readonly<Record<string, Published>>;
  /** The figure's file, default `curves.svg`. */
  readonly figure?: string;
  /** Machine, versions: what stands under "How". */
  readonly facts?: Readonly<Record<string, string>>;
}

/** The table of a reproduction, and how its students compare with the control. */
export function reproductionTable(
  runs: readonly NamedRecord[],
  style: TableStyle,
  beside: Readonly<Record<string, Published>> = published,
): string {
  const against = againstControl(runs);
  return (
    runTable(runs, reproductionColumns(beside), style) + (against === '' ? '' : `\n${against}\n`)
  );
}

/** Epochs to 99 % of each student against the control `none`; empty where there is no control. */
export function againstControl(runs: readonly NamedRecord[]): string {
  const control = runs.find(({ name }) => name === 'none');
  const students = runs.filter(({ name }) => name !== 'none' && name !== 'teacher');
  if (control === undefined || students.length === 0) return '';
  const base = control.record.epochsTo['0.99'] ?? null;
  const said = students.map(({ name, record }) => {
    const epochs = record.epochsTo['0.99'] ?? null;
    if (epochs === null) return `${name} never (in ${epochsOf(record.epochs)})`;
    return base === null ? `${name} ${epochs}` : `${name} ${epochs} (${faster(base / epochs)})`;
  });
  return `Epochs to 99 % against the control without a teacher (${base ?? `never in ${epochsOf(control.record.epochs)}`}): ${said.join(', ')}.`;
}

/** The whole report; it expects the figure beside it. */
export function reproductionMarkdown(report: ReproductionReport): string {
  const {
    title,
    summary,
    runs,
    command,
    figure = 'curves.svg',
    facts = {},
    beside = published,
  } = report;
  const isBeside = Object.keys(beside).length > 0;
  const files = gridOf(
    ['run', 'folder', 'split', 'parameters sha256', 'backend', 'peak memory (MiB)'],
    runs.map(({ name, record }) => [
      name,
      record.out,
      record.splitHash.slice(0, 12),
      (record.paramsSha256 ?? '').slice(0, 12),
      record.backend,
      record.peakMemoryBytes === null ? '–' : (record.peakMemoryBytes / 2 ** 20).toFixed(0),
    ]),
    'markdown',
    'left',
  );
  const how = Object.entries(facts).map(([name, value]) => `- ${name}: ${value}`);
  return [
    `# ${title}`,
    summary,
    reproductionTable(runs, 'markdown', beside).trimEnd(),
    ...(isBeside
      ? ['“paper” columns: as published; the paper trained no student without a teacher.']
      : []),
    `![Validation accuracy over epochs](${figure})`,
    '## How',
    `\`${command}\``,
    ...(how.length > 0 ? [how.join('\n')] : []),
    files.trimEnd(),
    'Peak memory is that of the process so far. The figure as Vega-Lite stands beside it (`.vl.json`); the plan as run: `plan.json`.',
  ]
    .join('\n\n')
    .concat('\n');
}

function epochsOf(n: number): string {
  return `${n} epoch${n === 1 ? '' : 's'}`;
}

function faster(ratio: number): string {
  return `${ratio.toFixed(2)} × the control's speed`;
}
