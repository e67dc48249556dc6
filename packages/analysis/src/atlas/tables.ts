/** What measures of the atlas give: tables of plain values, one observation a row, that figures draw and readers keep. */
import { z } from '@grok/core/internal';

/** A value of a table; null where it does not exist, such as the similarity of a constant. */
export type TableCell = string | number | null;
/** One observation. */
export type TableRow = Readonly<Record<string, TableCell>>;
/** Tables by name. */
export type MeasuredTables = Readonly<Record<string, readonly TableRow[]>>;

/** The schema of tables. */
export const tablesSchema: z.ZodType<MeasuredTables> = z.record(
  z.string(),
  z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
);

/** A number as tables hold it: five significant digits, null where it is not finite. */
export function cell(value: number | null | undefined): number | null {
  if (value === null || value === undefined || !Number.isFinite(value)) return null;
  return Number(value.toPrecision(5));
}

/** The characters of packed values, from the lowest to the highest. */
export const LEVELS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/';
/** The character of a value that does not exist. */
const NOTHING = '-';

/**
 * Many values in one cell: each one of 64 levels between `<name>Low` and `<name>High`, as a character of
 * `LEVELS`, off by at most 1/126 of their range; `-` where it is not finite.
 */
export function packValues(name: string, values: Iterable<number>): TableRow {
  const all = [...values];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of all)
    if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) [low, high] = [0, 0];
  const scale = high > low ? (LEVELS.length - 1) / (high - low) : 0;
  const pack = (value: number): string =>
    Number.isFinite(value) ? (LEVELS[Math.round((value - low) * scale)] ?? NOTHING) : NOTHING;
  return {
    [name]: all.map(pack).join(''),
    [`${name}Low`]: cell(low),
    [`${name}High`]: cell(high),
  };
}
