/** Cases of `statistics*.json`: results of SciPy, statsmodels, lifelines and NumPy, number by number. */
import type { ParityValues, ParityVerdict } from './verdict.js';

/**
 * Computes the statistics of a file from its inputs, in the file's own structure; a missing value counts as
 * wrong.
 */
export type ParityStatistics = (file: object) => object;

const RELATIVE = 1e-6;
const KNOWN = ['paired', 'holm', 'power', 'needed', 'survival', 'similarity', 'gini'];

/** True for the contents of a `statistics*.json`. */
export function isStatistics(json: object): boolean {
  return KNOWN.some((section) => section in json);
}

/** Compares every number of the file with the computed one, to 1e-6 relative. */
export function statisticsCase(
  json: object,
  compute: ParityStatistics,
  found: ParityVerdict,
): void {
  const wanted = Object.entries(json).filter(([key]) => key !== 'source');
  compare('', Object.fromEntries(wanted), compute(json), found);
}

function compare(path: string, want: unknown, got: unknown, found: ParityVerdict): void {
  if (typeof want === 'object' && want !== null) {
    const entries = new Map(typeof got === 'object' && got !== null ? Object.entries(got) : []);
    for (const [key, value] of Object.entries(want))
      compare(`${path}/${key}`, value, entries.get(key), found);
    return;
  }
  if (typeof want === 'number' && typeof got === 'number')
    found.check(path, scalar(got), scalar(want), { relative: RELATIVE, absolute: 1e-12 });
  else found.require(path, want === got, `is ${String(got)}, wanted ${String(want)}`);
}

/** In float64, since float32 would be compared after rounding. */
const scalar = (value: number): ParityValues => ({ shape: [], data: [value] });
