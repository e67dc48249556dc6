/** Columns that several figures have, and names for people. */
import type { TableRow } from '@grok/analysis';
import { shortSite as nameHiddenState } from '../../report/states.js';
import { averageOverSeeds } from '../figure.js';
import type { ChartField } from '../marks.js';

/** Whose value it is. */
export const whose: readonly ChartField[] = [
  { field: 'run', title: 'run' },
  { field: 'seed', title: 'seed' },
];
export const site: ChartField = { field: 'site', title: 'hidden state' };
export const teacherSite: ChartField = {
  field: 'teacherSite',
  title: 'hidden state of the teacher',
};
export const block: ChartField = { field: 'block', title: 'block' };
export const head: ChartField = { field: 'head', title: 'head' };
export const step: ChartField = { field: 'step', title: 'step' };

/** A site as tables call it; what a block reads has a name of its own. */
function shortSite(site: string): string {
  const [, block] = /^blocks\.(\d+)\.hook_resid_pre$/.exec(site) ?? [];
  return block === undefined ? nameHiddenState(site) : `block ${block}, input`;
}

/** Rows whose sites are called as in tables. */
export function nameSites(rows: readonly TableRow[]): readonly TableRow[] {
  return rows.map((row) => {
    const { site, teacherSite } = row;
    return {
      ...row,
      ...(typeof site === 'string' ? { site: shortSite(site) } : {}),
      ...(typeof teacherSite === 'string' ? { teacherSite: shortSite(teacherSite) } : {}),
    };
  });
}

/** Rows with the name of their head in `place`. */
export function nameHeads(rows: readonly TableRow[]): readonly TableRow[] {
  return rows.map((row) => ({ ...row, place: `block ${row.block}, head ${row.head}` }));
}

/** Means over seeds of a column during training, at steps for a logarithmic axis: step 0 stands at 1. */
export function overTraining(
  rows: readonly TableRow[],
  keys: readonly string[],
  column: string,
): readonly TableRow[] {
  return averageOverSeeds(rows, [...keys, 'step'], column).map((row) => ({
    ...row,
    step: Math.max(1, Number(row.step)),
  }));
}
