/** Tables of runs, as text for a terminal and as Markdown, beside the paper's own numbers. */
import { own } from '@grok/core/internal';
import type { RunRecord } from '@grok/study';
import { type GridOptions, layOut } from './layout.js';
import type { Published } from './paper.js';

/** A run with its name in tables and legends. */
export interface NamedRecord {
  readonly name: string;
  readonly record: RunRecord;
}
/** A column: its header, and the cell of a run. */
export interface Column {
  readonly head: string;
  readonly cell: (run: NamedRecord) => string;
}

const NONE = '–';

/** Columns of a reproduction; `beside` has published numbers by run name. */
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

/** Columns of the list of runs. */
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

/** What a narrow terminal is not shown, in this order. */
const LEAST_IMPORTANT = [
  ...['backend', 's/epoch', 'parameters', 'seconds', 'best of last 10 %', 'paper %', 'paper'],
  ...['epochs', 'epochs to 99 %', 'final val. %'],
];

/** Formats runs as a table, with a note that explains "leaked" if a run is leaked. */
export function runTable(
  runs: readonly NamedRecord[],
  columns: readonly Column[],
  { style, width }: Pick<GridOptions, 'style' | 'width'>,
): string {
  const body = layOut(
    columns.map(({ head }) => head),
    runs.map((run) => columns.map(({ cell }) => cell(run))),
    { style, width, drop: LEAST_IMPORTANT },
  );
  return runs.some(({ record }) => record.leaked) ? `${body}\n${LEAK_NOTE}\n` : body;
}

/** The note under every table with a leaked run. */
export const LEAK_NOTE =
  'leaked: the teacher was trained on rows that this run is validated on (another split).';

/** Formats a share (0–1) in percent with two decimals. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? NONE : (100 * share).toFixed(2);
}

/** Formats an interval as `low … high`. */
export function range(
  interval: readonly [number, number] | null,
  show: (x: number) => string,
): string {
  return interval === null ? NONE : `${show(interval[0])} … ${show(interval[1])}`;
}

/** Formats a p-value with four decimals and without a leading zero. */
export function probability(p: number | null): string {
  return p === null ? NONE : p < 0.0001 ? '< .0001' : p.toFixed(4).replace(/^0/, '');
}
