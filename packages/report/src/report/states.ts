/** What our own analyses say of the hidden states: beside the teacher, at the crossing and at the end. */

import { type Analysis, readAnalysis } from '@grok/analysis';
import { type BegunRun, mean } from '@grok/study';
import type { Table } from './grid.js';
import { labelOf, labelsOf } from './style.js';

const MOMENTS = ['crossing-0.99', 'end'] as const;
type Cka = {
  readonly debiased: number | null;
  readonly null: { readonly interval: readonly number[] };
};
type States = Readonly<Record<string, { readonly cka: Cka }>>;
type Ranks = { readonly sites?: Readonly<Record<string, { readonly royVetterli: number | null }>> };

/** Debiased CKA and Roy–Vetterli ranks by hidden state, for the runs that were analysed; none without. */
export async function statesTables(runs: readonly BegunRun[]): Promise<readonly Table[]> {
  const rows: { cka: string[]; rank: string[] }[] = [];
  let sites: readonly string[] = [];
  for (const label of labelsOf(runs))
    for (const moment of MOMENTS) {
      const own = runs.filter((run) => labelOf(run) === label);
      const found = (await Promise.all(own.map(({ store }) => readAnalysis(store, moment)))).filter(
        (item) => item !== undefined,
      );
      if (found.length === 0) continue;
      const rankSites = (item: Analysis): NonNullable<Ranks['sites']> =>
        (item.probes['effective-ranks'] as Ranks | undefined)?.sites ?? {};
      const states = (item: Analysis): States => (item.against?.states ?? {}) as States;
      if (sites.length === 0)
        sites = Object.keys({ ...rankSites(found[0]!), ...states(found[0]!) });
      const over = (
        of: (item: Analysis, site: string) => number | null | undefined,
        digits: number,
      ): string[] =>
        sites.map((site) => {
          const values = found.map((item) => of(item, site)).filter((x) => typeof x === 'number');
          return values.length === 0 ? '–' : mean(values).toFixed(digits);
        });
      const head = [`${label}, ${moment === 'end' ? 'last step' : 'at 99 %'} (${found.length})`];
      rows.push({
        cka: [...head, ...over((item, site) => states(item)[site]?.cka.debiased, 3)],
        rank: [...head, ...over((item, site) => rankSites(item)[site]?.royVetterli, 1)],
      });
    }
  if (rows.length === 0) return [];
  const head = ['Run (seeds)', ...sites.map(shortSite)];
  const has = (cells: readonly string[]): boolean => cells.slice(1).some((cell) => cell !== '–');
  const cka = rows.map((row) => row.cka).filter(has);
  const rank = rows.map((row) => row.rank).filter(has);
  return [
    ...(cka.length === 0
      ? []
      : [
          {
            name: 'table-states-cka',
            title: 'Debiased CKA with the teacher, by hidden state',
            note: 'Validation rows, means over seeds; 0 for unrelated models. Permutation nulls and intervals: analysis/*.json of each run.',
            head,
            rows: cka,
          },
        ]),
    ...(rank.length === 0
      ? []
      : [
          {
            name: 'table-states-rank',
            title: 'Effective rank (Roy and Vetterli), by hidden state',
            note: 'Validation rows, centred, means over seeds. Rank keeps falling after the transition: compare at the same moment.',
            head,
            rows: rank,
          },
        ]),
  ];
}

/** `blocks.0.hook_resid_mid` as `block 0, attention`. */
function shortSite(site: string): string {
  const [, block, part] = /^blocks\.(\d+)\.hook_resid_(mid|post)$/.exec(site) ?? [];
  if (block !== undefined) return `block ${block}, ${part === 'mid' ? 'attention' : 'MLP'}`;
  return { hook_embed: 'embedding', 'ln_final.hook_out': 'final norm' }[site] ?? site;
}
