/** What a figure of the atlas is: plain rows, and a drawing of them that a page fills and lets its reader change. */
import type { MeasuredRun, TableRow } from '@grok/analysis';
import { spread } from '../report/data.js';
import { formatLabel } from '../report/style.js';

/** A Vega-Lite specification without data and surroundings, which the page gives it. */
export type Drawing = Readonly<Record<string, unknown>>;

/** A figure: a file of its own, and a line in the list of figures. */
export interface AtlasFigure {
  readonly id: string;
  /** The heading that it stands under. */
  readonly group: string;
  readonly title: string;
  /** What it shows, and what chance would show. */
  readonly caption: string;
  /** Its rows; empty where nothing was measured for it. */
  readonly data: (runs: readonly MeasuredRun[]) => readonly TableRow[];
  /** @param labels of the runs, in the order of legends */
  readonly draw: (rows: readonly TableRow[], labels: readonly string[]) => Drawing;
  /** So many marks that they are drawn as pixels. */
  readonly canvas?: true;
}

/** Rows of a table of all runs that have it, each with its run's label and seed. */
export function collectRows(
  runs: readonly MeasuredRun[],
  measure: string,
  table: string,
): readonly TableRow[] {
  return runs.flatMap(({ run, measures }) =>
    (measures[measure]?.[table] ?? []).map((row) => ({
      ...{ run: formatLabel(run), seed: run.seed },
      ...row,
    })),
  );
}

/** How means are taken. */
interface AveragingOptions {
  /** A column of what chance shows, whose mean stands beside. */
  readonly chance?: string;
  /** What values cannot leave, nor their intervals. */
  readonly bounds?: readonly [number, number];
}
/** Bounds of shares of one. */
export const SHARE: readonly [number, number] = [0, 1];

/**
 * Means over seeds with 95 % t intervals: a row for each run and combination of `keys`. Values that do not
 * exist are left out.
 */
export function averageOverSeeds(
  rows: readonly TableRow[],
  keys: readonly string[],
  column: string,
  { chance, bounds }: AveragingOptions = {},
): readonly TableRow[] {
  const groups = new Map<string, { first: TableRow; values: number[]; chances: number[] }>();
  for (const row of rows) {
    const value = row[column];
    if (typeof value !== 'number') continue;
    const key = JSON.stringify(['run', ...keys].map((name) => row[name] ?? null));
    const group = groups.get(key) ?? { first: row, values: [], chances: [] };
    group.values.push(value);
    const random = chance === undefined ? null : row[chance];
    if (typeof random === 'number') group.chances.push(random);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ first, values, chances }) => ({
    ...{
      run: first.run ?? '',
      ...Object.fromEntries(keys.map((key) => [key, first[key] ?? null])),
    },
    ...spread(values, bounds),
    ...(chances.length === 0 ? {} : { chance: spread(chances).value }),
  }));
}

/** The distinct values of a column, in the order of the rows. */
export function listValues(
  rows: readonly TableRow[],
  column: string,
): readonly (string | number)[] {
  return [
    ...new Set(
      rows.flatMap((row) => {
        const value = row[column];
        return value === null || value === undefined ? [] : [value];
      }),
    ),
  ];
}
