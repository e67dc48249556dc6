/** Singular values and ranks of weight matrices, beside those of the same matrices before training. */
import type { HostArray } from '@grok/core';
import { computeEffectiveRanks, singularValues, toMatrix } from '@grok/metrics';
import type { AtlasMeasure } from '../measure.js';
import { cell, type TableRow } from '../tables.js';

/** Singular values of a matrix that are kept: evenly among them. */
const VALUES = 32;

/** Tables `spectra` (singular values over the largest, at shares of their number) and `ranks`. */
export const weightsMeasure: AtlasMeasure = {
  name: 'weights',
  async measure(subject) {
    const [before, after] = [await subject.readState(0), await subject.readState(subject.step)];
    const matrices = Object.entries(after.params).filter(([, { shape }]) => shape.length === 2);
    const tables = { spectra: [] as TableRow[], ranks: [] as TableRow[] };
    for (const [matrix, value] of matrices) {
      const initial = before.params[matrix];
      const start = initial === undefined ? [] : listValues(initial);
      for (const [i, { at, share }] of listValues(value).entries())
        tables.spectra.push({ matrix, at, value: cell(share), initial: cell(start[i]?.share) });
      tables.ranks.push({
        ...{ matrix, most: Math.min(...value.shape), rank: computeRank(value) },
        initial: initial === undefined ? null : computeRank(initial),
      });
    }
    return tables;
  },
};

function computeRank(value: HostArray): number | null {
  return cell(computeEffectiveRanks(value, { centered: false }).royVetterli);
}

function listValues(value: HostArray): readonly { readonly at: number; readonly share: number }[] {
  const all = singularValues(toMatrix(value));
  const count = Math.min(VALUES, all.length);
  return Array.from({ length: count }, (_, i) => {
    const index = Math.round((i * (all.length - 1)) / Math.max(1, count - 1));
    return { at: index + 1, share: (all[index] ?? 0) / (all[0] ?? 1) };
  });
}
