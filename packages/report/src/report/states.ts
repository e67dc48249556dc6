/** What our own analyses say of the hidden states: beside the teacher, at the crossing and at the end. */

import { type Analysis, readAnalysis } from '@grok/analysis';
import { isInputError } from '@grok/core';
import { own, z } from '@grok/core/internal';
import { type BegunRun, findTeacher, mean } from '@grok/study';
import type { Table } from './grid.js';
import { formatLabel, listLabels } from './style.js';

const NONE = '–';
/** Names of moments in files, and what they are called: the same time since the crossing beside the end. */
const MOMENTS = [
  ['crossing-0.99', 'at 99 %'],
  ['crossing-0.99+200', '200 steps after 99 %'],
  ['end', 'last step'],
] as const;
/** What the tables show of an analysis; whatever else is written there is not looked at. */
const statesSchema = z.record(
  z.string(),
  z.object({
    cka: z.object({
      debiased: z.number().nullable(),
      null: z.object({ debiased: z.number().nullable() }).optional(),
    }),
  }),
);
const ranksSchema = z.object({
  sites: z.record(z.string(), z.object({ royVetterli: z.number().nullable() })),
});

type Part = 'states' | 'lastPosition';
function listStates({ against }: Analysis, part: Part = 'states'): z.infer<typeof statesSchema> {
  return statesSchema.safeParse(against?.[part]).data ?? {};
}
function readRanks({ probes }: Analysis): z.infer<typeof ranksSchema>['sites'] {
  return ranksSchema.safeParse(own(probes, 'effective-ranks')).data?.sites ?? {};
}

/** What analyses say of a kind of run at a moment. */
interface StatesRow {
  readonly head: string;
  readonly found: readonly Analysis[];
}

/**
 * Debiased CKA and Roy–Vetterli ranks by hidden state, for analyzed runs. Damaged analyses are skipped;
 * `notice` is called.
 */
export async function statesTables(
  runs: readonly BegunRun[],
  notice: (message: string) => void,
): Promise<readonly Table[]> {
  const rows = await readRows(runs, notice);
  const sites = [
    ...new Set(
      rows.flatMap(({ found }) =>
        found.flatMap((item) => [
          ...Object.keys(readRanks(item)),
          ...Object.keys(listStates(item)),
        ]),
      ),
    ),
  ];
  const table = (
    about: Pick<Table, 'name' | 'title' | 'note'>,
    cell: (found: readonly Analysis[], site: string) => string,
  ): readonly Table[] => {
    const cells = rows.map(({ head, found }) => [head, ...sites.map((site) => cell(found, site))]);
    const known = cells.filter((row) => row.slice(1).some((text) => text !== NONE));
    if (known.length === 0) return [];
    return [{ ...about, head: ['Run (seeds)', ...sites.map(shortSite)], rows: known }];
  };
  return [
    ...table(
      {
        name: 'table-states-cka',
        title: 'Debiased CKA with the teacher, by hidden state',
        note: 'Validation rows, means over seeds; in parentheses the null, the mean over permutations of the inputs. Positions alone give it, and only what exceeds it is shared. Intervals: analysis/*.json of each run.',
      },
      (found, site) => ckaCell(found, site, 'states'),
    ),
    ...table(
      {
        name: 'table-states-cka-last',
        title: 'Debiased CKA with the teacher at the last position, by hidden state',
        note: 'Validation rows, means over seeds; in parentheses the null. The last position is the only one that is read; its embedding is the same for all inputs, and has no similarity.',
      },
      (found, site) => ckaCell(found, site, 'lastPosition'),
    ),
    ...table(
      {
        name: 'table-states-rank',
        title: 'Effective rank (Roy and Vetterli), by hidden state',
        note: 'Validation rows, centered, means over seeds. Rank keeps falling after the transition: compare at the same moment.',
      },
      (found, site) =>
        meanText(
          found.map((item) => own(readRanks(item), site)?.royVetterli),
          1,
        ),
    ),
  ];
}

/** `0.890 (0.880)`: the value and its null. */
function ckaCell(found: readonly Analysis[], site: string, part: Part): string {
  const each = found.map((item) => own(listStates(item, part), site)?.cka);
  const [value, chance] = [
    each.map((cka) => cka?.debiased),
    each.map((cka) => cka?.null?.debiased),
  ].map((values) => meanText(values, 3));
  return chance === NONE ? `${value}` : `${value} (${chance})`;
}

function meanText(values: readonly (number | null | undefined)[], digits: number): string {
  const known = values.filter((value) => typeof value === 'number');
  return known.length === 0
    ? NONE
    : mean(known)
        .toFixed(digits)
        .replace(/^-(0\.0+)$/, '$1');
}

async function readRows(
  runs: readonly BegunRun[],
  notice: (message: string) => void,
): Promise<readonly StatesRow[]> {
  const rows: StatesRow[] = [];
  const kinds = listLabels(runs).flatMap((label) =>
    MOMENTS.map(([moment, title]) => [label, moment, title] as const),
  );
  for (const [label, moment, title] of kinds) {
    const found: Analysis[] = [];
    for (const run of runs.filter((each) => formatLabel(each) === label)) {
      const item = await readOwnAnalysis(run, moment, runs, notice);
      if (item !== undefined) found.push(item);
    }
    const head = `${label}, ${title} (${found.length})`;
    if (found.length > 0) rows.push({ head, found });
  }
  return rows;
}

/** A run's analysis; beside another teacher than its own, only what it says of the run itself. */
async function readOwnAnalysis(
  run: BegunRun,
  moment: string,
  runs: readonly BegunRun[],
  notice: (message: string) => void,
): Promise<Analysis | undefined> {
  const teacher = findTeacher(run, runs)?.run;
  try {
    const found = await readAnalysis(run.store, moment, teacher);
    const isOwn = teacher === undefined || found?.against?.run === teacher;
    if (found === undefined || isOwn) return found;
    const { against: _, ...alone } = found;
    return alone;
  } catch (error) {
    if (!isInputError(error)) throw error;
    notice(`an analysis is damaged and skipped: ${error.message}`);
    return undefined;
  }
}

/** `blocks.0.hook_resid_mid` as `block 0, attention`. */
export function shortSite(site: string): string {
  const [, block, part] = /^blocks\.(\d+)\.hook_resid_(mid|post)$/.exec(site) ?? [];
  if (block !== undefined) return `block ${block}, ${part === 'mid' ? 'attention' : 'MLP'}`;
  return { hook_embed: 'embedding', 'ln_final.hook_out': 'final norm' }[site] ?? site;
}
