/**
 * One look for every figure: a name has the same colour and dash everywhere, and legends one order.
 * Colours are Okabe and Ito's, safe for the colour-blind; dashes and labels tell names apart in grey.
 */
import type { StudyRun } from '@grok/analysis';

const COLOURS = [
  ...['#000000', '#7F7F7F', '#E69F00', '#0072B2', '#009E73', '#D55E00', '#CC79A7', '#56B4E9'],
];
const DASHES = [
  ...[
    [1, 0],
    [6, 3],
    [2, 2],
    [8, 2, 2, 2],
    [12, 4],
    [4, 6],
    [8, 2, 2, 2, 2, 2],
    [1, 3],
  ],
];

/** What a run is called in tables and legends. */
export function labelOf({ name, override }: Pick<StudyRun, 'name' | 'override'>): string {
  return override === undefined ? name : `${override}/${name}`;
}

/** Labels in the order of legends: that of the runs. */
export function labelsOf(runs: readonly StudyRun[]): readonly string[] {
  return [...new Set(runs.map(labelOf))];
}

/** A scale of an encoding: the same for a label in every figure, however many it shows. */
function scaleOf<T>(labels: readonly string[], of: readonly T[]): object {
  return { domain: labels, range: labels.map((_, i) => of[i % of.length]) };
}

/** Colour and dash by label, for lines; the legend may be left out where labels stand elsewhere. */
export function lineEncoding(
  labels: readonly string[],
  legend = true,
): { color: object; strokeDash: object } {
  const common = {
    field: 'run',
    type: 'nominal',
    sort: labels,
    title: 'run',
    legend: legend
      ? { symbolType: 'stroke', symbolSize: 500, symbolStrokeWidth: 2, symbolOpacity: 1 }
      : null,
  };
  return {
    color: { ...common, scale: scaleOf(labels, COLOURS) },
    strokeDash: { ...common, scale: scaleOf(labels, DASHES) },
  };
}

/** Colour by label, for bars, whose labels stand beside them. */
export function fillEncoding(labels: readonly string[]): object {
  return { field: 'run', type: 'nominal', scale: scaleOf(labels, COLOURS), legend: null };
}
