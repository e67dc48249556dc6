/** Cases of `statistics*.json`: results of SciPy, statsmodels, lifelines and NumPy, number by number. */
import type { Verdict } from './verdict.js';

/**
 * Computes what such a file holds from its inputs, in the file's own shape: a leaf that it leaves
 * out counts as wrong, for a number that nobody computes is not in agreement.
 */
export type ParityStatistics = (file: object) => object;

const RELATIVE = 1e-6;
const KNOWN = ['paired', 'holm', 'power', 'needed', 'survival', 'similarity', 'gini'];

/** True for the content of a `statistics*.json`. */
export function isStatistics(json: object): boolean {
  return KNOWN.some((section) => section in json);
}

/** Holds every number of the file against the computed one, to 1e-6 relative. */
export function statisticsCase(json: object, compute: ParityStatistics, found: Verdict): void {
  const { source: _, ...wanted } = json as Record<string, unknown>;
  compare('', wanted, compute(json), found);
}

function compare(path: string, want: unknown, got: unknown, found: Verdict): void {
  if (typeof want === 'object' && want !== null) {
    const isTree = typeof got === 'object' && got !== null;
    for (const [key, value] of Object.entries(want))
      compare(`${path}/${key}`, value, isTree ? (got as never)[key] : undefined, found);
    return;
  }
  if (typeof want === 'number' && typeof got === 'number')
    found.check(path, scalar(got), scalar(want), { relative: RELATIVE, absolute: 1e-12 });
  else found.require(path, want === got, `is ${String(got)}, wanted ${String(want)}`);
}

/** In float64, whatever the type says: a float32 would be compared after rounding. */
const scalar = (value: number): never =>
  ({ shape: [], dtype: 'float32', data: [value] }) as unknown as never;
