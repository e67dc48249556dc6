/** Tables of runs, as text for a terminal and as Markdown, beside the paper's own numbers. */
import { own, printable } from '@grok/core/internal';
import type { RunRecord } from '@grok/study';
import type { Published } from './paper.js';

/** A run under the name that tables and legends give it. */
export interface NamedRecord {
  readonly name: string;
  readonly record: RunRecord;
}
/** How a table is written. */
export type TableStyle = 'text' | 'markdown';

/** A column: its head, and what stands in a run's row. */
export interface Column {
  readonly head: string;
  readonly cell: (run: NamedRecord) => string;
}

const NONE = '–';

/** Columns of a reproduction; `beside` holds published numbers by name, no columns where it is empty. */
export function reproductionColumns(
  beside: Readonly<Record<string, Published>>,
): readonly [Column, ...Column[]] {
  const published = (column: Column): readonly Column[] =>
    Object.keys(beside).length === 0 ? [] : [column];
  return [
    { head: 'run', cell: ({ name, record }) => (record.leaked ? `${name} (leaked)` : name) },
    { head: 'parameters', cell: ({ record }) => record.parameters.toLocaleString('en-US') },
    { head: 'epochs to 99 %', cell: ({ record }) => String(record.epochsTo['0.99'] ?? NONE) },
    ...published({ head: 'paper', cell: ({ name }) => own(beside, name)?.epochsTo99 ?? NONE }),
    { head: 'final val. %', cell: ({ record }) => percent(record.finalValAccuracy) },
    { head: 'best of last 10 %', cell: ({ record }) => percent(record.bestOfLast10) },
    ...published({
      head: 'paper %',
      cell: ({ name }) => percent(own(beside, name)?.finalValAccuracy),
    }),
    { head: 'seconds', cell: ({ record }) => record.seconds.toFixed(1) },
    { head: 's/epoch', cell: ({ record }) => record.secondsPerEpoch?.toFixed(3) ?? NONE },
  ];
}

/** Columns of a list of runs. */
export const listColumns: readonly Column[] = [
  { head: 'run', cell: ({ name, record }) => (record.leaked ? `${name} (leaked)` : name) },
  { head: 'status', cell: ({ record }) => record.status },
  { head: 'epochs', cell: ({ record }) => String(record.epochs) },
  { head: 'parameters', cell: ({ record }) => record.parameters.toLocaleString('en-US') },
  { head: 'epochs to 99 %', cell: ({ record }) => String(record.epochsTo['0.99'] ?? NONE) },
  { head: 'final val. %', cell: ({ record }) => percent(record.finalValAccuracy) },
  { head: 'seconds', cell: ({ record }) => record.seconds.toFixed(1) },
  { head: 'backend', cell: ({ record }) => record.backend },
];

/** Writes runs as a table; a note under it says what "leaked" means where a run is so labelled. */
export function runTable(
  runs: readonly NamedRecord[],
  columns: readonly Column[],
  style: TableStyle,
): string {
  const body = gridOf(
    columns.map(({ head }) => head),
    runs.map((run) => columns.map(({ cell }) => cell(run))),
    style,
  );
  return runs.some(({ record }) => record.leaked) ? `${body}\n${LEAK_NOTE}\n` : body;
}

/** Under every table with such a run. */
export const LEAK_NOTE =
  'leaked: the teacher was trained on rows that this run is validated on (another split).';

/** A grid of cells, the first column to the left, the others as `align` says; ends with a newline. */
export function gridOf(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  style: TableStyle,
  align: 'left' | 'right' = 'right',
): string {
  const left = (i: number): boolean => i === 0 || align === 'left';
  const safe = style === 'markdown' ? markdown : printable;
  const all = [head, ...rows].map((row) => row.map(safe));
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => (row[i] ?? '').length)));
  const padded = all.map((row) =>
    widths.map((width, i) =>
      left(i) ? (row[i] ?? '').padEnd(width) : (row[i] ?? '').padStart(width),
    ),
  );
  const line = (cells: readonly string[]): string =>
    style === 'markdown' ? `| ${cells.join(' | ')} |` : cells.join('  ').trimEnd();
  const rule =
    style === 'markdown'
      ? line(widths.map((width, i) => (left(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)))
      : line(widths.map((width) => '-'.repeat(width)));
  const [first, ...rest] = padded.map(line);
  return `${[first, rule, ...rest].join('\n')}\n`;
}

/** What Markdown would take for its own: code, emphasis, cells, links, tags, entities. */
const MARKS = /[\\`*|]|<(?=[a-z/!?])|&(?=#?\w+;)|\](?=[([:])|(?<!\w)_|_(?!\w)/gi;

/** Text safe in a line of Markdown, in a table's cells too. */
export function markdown(text: string): string {
  return printable(text).replaceAll('\n', ' ').replace(MARKS, '\\$&');
}

/** A share of one in per cent with two decimals. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? NONE : (100 * share).toFixed(2);
}

/** An interval as `low … high`. */
export function range(
  interval: readonly [number, number] | null,
  show: (x: number) => string,
): string {
  return interval === null ? NONE : `${show(interval[0])} … ${show(interval[1])}`;
}

/** A p-value with four decimals and without its zero. */
export function probability(p: number | null): string {
  return p === null ? NONE : p < 0.0001 ? '< .0001' : p.toFixed(4).replace(/^0/, '');
}
