/** Grids of cells as text: within a terminal's width, as Markdown, or as wide as they need. */
import { printable } from '@grok/core/internal';

/** Output format of a table. */
export type TableStyle = 'text' | 'markdown';

/** Layout of a table; the width applies to text only. */
export interface GridOptions {
  readonly style: TableStyle;
  /** Alignment of all columns except the first, which is aligned left. Default: right. */
  readonly align?: 'left' | 'right';
  /** Maximum number of characters per line; default: as many as needed. */
  readonly width?: number | undefined;
  /** Headers of the columns whose cells may wrap. */
  readonly wrap?: readonly string[];
  /** Headers of the columns that may be left out, least important first. */
  readonly drop?: readonly string[];
}

const GAP = 2;
/** Between words, but not before a unit. */
const BREAK = / (?!%)/;
const LEAST = 3;
/** Narrower than this, a column that wraps is left out or continued below instead. */
const LEAST_WRAPPED = 24;

interface Column {
  readonly head: string;
  readonly cells: readonly string[];
  readonly left: boolean;
  readonly wraps: boolean;
}
interface SizedColumn extends Column {
  readonly width: number;
}

/**
 * Formats a grid of cells, ending with a newline. If text is wider than `width`, it first wraps headers, then
 * the columns of `wrap`, then leaves out columns of `drop` and says so. What is still too wide continues in
 * further blocks, each with the first column.
 */
export function layOut(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { style, align = 'right', width, wrap = [], drop = [] }: GridOptions,
): string {
  const safe = style === 'markdown' ? markdown : printable;
  const columns = head.map((name, i) => ({
    head: safe(name),
    cells: rows.map((row) => safe(row[i] ?? '')),
    left: i === 0 || align === 'left',
    wraps: wrap.includes(name),
  }));
  if (style === 'markdown') return markdownGrid(columns.map(natural));
  if (width === undefined || total(columns.map(natural)) <= width)
    return textGrid(columns.map(natural));
  const fitting = dropColumns(columns, drop, width);
  const missing = columns
    .filter((column) => !fitting.includes(column))
    .map((column) => column.head);
  const note = `not shown: ${missing.join(', ')} (--wide shows all)`;
  return [
    ...splitBlocks(fitting, width).map((block) => textGrid(block)),
    ...(missing.length === 0 ? [] : [`${breakWords(note, width).join('\n')}\n`]),
  ].join('\n');
}

/** The columns without those that do not fit, the least important left out first. */
function dropColumns(
  columns: readonly Column[],
  drop: readonly string[],
  width: number,
): readonly Column[] {
  let kept = columns;
  for (const head of drop) {
    if (fitWidths(kept, width) !== undefined) break;
    kept = kept.filter((column, i) => i === 0 || column.head !== head);
  }
  return kept;
}

/** Columns at widths that fit in a line; undefined where they cannot. */
function fitWidths(columns: readonly Column[], width: number): readonly SizedColumn[] | undefined {
  const sized = columns.map((column) => ({
    ...column,
    width: Math.max(LEAST, longest(column.head.split(BREAK)), longest(column.cells)),
  }));
  const fixed = sized.filter(({ wraps }) => !wraps);
  const wrapped = sized.filter(({ wraps }) => wraps);
  const gaps = GAP * (columns.length - 1);
  let room = width - gaps - fixed.reduce((sum, column) => sum + column.width, 0);
  if (wrapped.length === 0) return room >= 0 ? sized : undefined;
  // The narrow ones first, so that what they do not need goes to the others.
  const widths = new Map<SizedColumn, number>();
  for (const [i, column] of [...wrapped].sort((a, b) => a.width - b.width).entries()) {
    const share = Math.floor(room / (wrapped.length - i));
    if (column.width > share && share < LEAST_WRAPPED) return undefined;
    widths.set(column, Math.min(column.width, share));
    room -= Math.min(column.width, share);
  }
  return sized.map((column) => ({ ...column, width: widths.get(column) ?? column.width }));
}

/** Columns as blocks that fit, each with the first column; a column too wide alone is broken anywhere. */
function splitBlocks(
  columns: readonly Column[],
  width: number,
): readonly (readonly SizedColumn[])[] {
  const [first, ...others] = columns;
  if (first === undefined) return [];
  const blocks: Column[][] = [[first]];
  for (const column of others) {
    const block = blocks.at(-1);
    if (block === undefined) continue;
    const fits = block.length === 1 || fitWidths([...block, column], width) !== undefined;
    if (fits) block.push(column);
    else blocks.push([first, column]);
  }
  return blocks.map((block) => fitWidths(block, width) ?? squeeze(block, width));
}

/** At most two columns at widths that fit, whatever is broken for it. */
function squeeze(block: readonly Column[], width: number): readonly SizedColumn[] {
  const share = Math.max(1, Math.floor((width - GAP * (block.length - 1)) / block.length));
  return block.map((column) => ({ ...column, width: share }));
}

const natural = (column: Column): SizedColumn => ({
  ...column,
  width: Math.max(LEAST, column.head.length, longest(column.cells)),
});
const longest = (texts: readonly string[]): number =>
  Math.max(0, ...texts.map((text) => text.length));
const total = (columns: readonly SizedColumn[]): number =>
  columns.reduce((sum, { width }) => sum + width, GAP * (columns.length - 1));
const pad = ({ left, width }: SizedColumn, text: string): string =>
  left ? text.padEnd(width) : text.padStart(width);

function textGrid(columns: readonly SizedColumn[]): string {
  const lines = (row: readonly string[]): readonly string[] => {
    const broken = columns.map(({ width }, i) => breakWords(row[i] ?? '', width));
    const height = Math.max(1, ...broken.map((cell) => cell.length));
    return Array.from({ length: height }, (_, at) =>
      columns
        .map((column, i) => pad(column, broken[i]?.[at] ?? ''))
        .join(' '.repeat(GAP))
        .trimEnd(),
    );
  };
  const rule = columns.map(({ width }) => '-'.repeat(width)).join(' '.repeat(GAP));
  const count = columns[0]?.cells.length ?? 0;
  const body = Array.from({ length: count }, (_, row) =>
    columns.map(({ cells }) => cells[row] ?? ''),
  );
  return `${[...lines(columns.map(({ head }) => head)), rule, ...body.flatMap(lines)].join('\n')}\n`;
}

function markdownGrid(columns: readonly SizedColumn[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const row = (of: (column: SizedColumn) => string): string =>
    line(columns.map((column) => pad(column, of(column))));
  const rule = columns.map(({ width, left }) =>
    left ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const count = columns[0]?.cells.length ?? 0;
  const body = Array.from({ length: count }, (_, at) => row(({ cells }) => cells[at] ?? ''));
  return `${[row(({ head }) => head), line(rule), ...body].join('\n')}\n`;
}

/** Wraps text to lines of at most `width` characters; longer words are split. */
export function breakWords(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(BREAK)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width));
  }
  return [...lines, line];
}

/** What Markdown would take for its own: code, emphasis, cells, links, tags, entities. */
const MARKS = /[\\`*|]|<(?=[a-z/!?])|&(?=#?\w+;)|\](?=[([:])|(?<!\w)_|_(?!\w)/gi;

/** Escapes text for Markdown, also for table cells. */
export function markdown(text: string): string {
  return printable(text).replaceAll('\n', ' ').replace(MARKS, '\\$&');
}

/**
 * Formats records as CSV (RFC 4180) with a header line, flattened; null is empty. Ends with a newline; empty
 * without records.
 */
export function formatCsv(records: readonly object[]): string {
  const flat = records.map((record) => flatten(record));
  const keys = [...new Set(flat.flatMap((record) => [...record.keys()]))];
  if (keys.length === 0) return '';
  const lines = [keys, ...flat.map((record) => keys.map((key) => record.get(key) ?? ''))];
  return `${lines.map((cells) => cells.map(csvCell).join(',')).join('\n')}\n`;
}

/**
 * Flattens a record: nested keys and indices in lists of objects are joined by dots; other lists are joined by
 * spaces.
 */
export function flatten(value: object, prefix = ''): ReadonlyMap<string, string> {
  const entries = Object.entries(value).flatMap(([key, item]): (readonly [string, string])[] => {
    const path = `${prefix}${key}`;
    if (typeof item !== 'object' || item === null) return [[path, `${item ?? ''}`]];
    const isPlain = Array.isArray(item) && item.every((part) => typeof part !== 'object');
    return isPlain ? [[path, item.join(' ')]] : [...flatten(item, `${path}.`)];
  });
  return new Map(entries);
}

const csvCell = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
