/** Verdicts as a table for people. */

import type { Judgment, Verdict, Verified } from '@grok/analysis';
import { type GridOptions, layOut } from './layout.js';

const ORDER: readonly Verdict[] = [
  'reproduced',
  'undecided',
  'contradicted',
  'by construction',
  'cannot be tested',
  'untested',
];

/** One line per claim, and the number of claims by verdict. */
export function verdictTable(
  verified: readonly Verified[],
  { style, width }: Pick<GridOptions, 'style' | 'width'>,
): string {
  const rows = verified.map((item) => [
    item.id,
    item.source,
    item.published === null ? '–' : String(item.published),
    bandText(item.band),
    oursText(item),
    outcomeText(item),
  ]);
  const head = ['claim', 'source', 'published', 'band', 'ours', 'verdict'];
  const layout = {
    style,
    width,
    align: 'left',
    wrap: ['verdict'],
    drop: ['source', 'band'],
  } as const;
  return `${layOut(head, rows, layout)}\n${countsText(verified)}\n`;
}

/** The verdict with its seeds and reason, and the one at the long budget. */
function outcomeText(item: Verified): string {
  const lines = ({ verdict, holds, seeds, why }: Judgment): string =>
    verdict +
    (holds === undefined ? '' : ` (holds for ${holds} of ${seeds})`) +
    (why === undefined ? '' : `: ${why}`);
  return [
    lines(item),
    ...(item.long === undefined ? [] : [`at the long budget ${lines(item.long)}`]),
    ...(item.repeats === undefined ? [] : [`repeats ${item.repeats}`]),
  ].join('; ');
}

/** Number of claims by verdict, without repetitions. */
export function verdictCounts(verified: readonly Verified[]): Readonly<Record<Verdict, number>> {
  return Object.fromEntries(
    ORDER.map((verdict) => [
      verdict,
      verified.filter((item) => item.verdict === verdict && item.repeats === undefined).length,
    ]),
  ) as Record<Verdict, number>;
}

function countsText(verified: readonly Verified[]): string {
  const counts = Object.entries(verdictCounts(verified)).filter(([, count]) => count > 0);
  const repeated = verified.filter(({ repeats }) => repeats !== undefined).length;
  const said = counts.map(([name, count]) => `${count} ${name}`);
  return `${verified.length} claims: ${[...said, ...(repeated === 0 ? [] : [`${repeated} repeat others`])].join(', ')}`;
}

function bandText(band: Verified['band']): string {
  if (band === null) return '–';
  const [low, high] = band;
  if (low === null) return `≤ ${short(high!)}`;
  return high === null ? `≥ ${short(low)}` : `${short(low)} to ${short(high)}`;
}

function oursText({ ours, sd, seeds }: Verified): string {
  if (seeds === 0) return '–';
  if (ours === null) return `censored (${seeds})`;
  return `${short(ours)}${sd === null ? '' : ` ± ${short(sd)}`} (${seeds})`;
}

/** Four significant digits, integers as integers. */
export function short(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1e4
    ? String(Math.round(value))
    : String(Number(value.toPrecision(4)));
}
