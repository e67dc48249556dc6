/** How figures encode runs: label, color and dash of each, and legends in one order. */
import type { BegunRun } from '@grok/study';
import { assignStyles } from '../palette.js';
import type { FigureSpec } from '../render.js';

const SOLID = [1, 0];

/** Name of a run in tables and legends. */
export function formatLabel({ name, override }: Pick<BegunRun, 'name' | 'override'>): string {
  return override === undefined ? name : `${override}/${name}`;
}

/** Labels in the order of legends, which is that of the runs. */
export function listLabels(runs: readonly BegunRun[]): readonly string[] {
  return [...new Set(runs.map(formatLabel))];
}

/**
 * A specification whose labels Vega can read: it takes `constructor` and other names of every JavaScript
 * object for signals of its own. An invisible character (U+2060) at the end makes them labels again.
 */
export function protectNames(spec: FigureSpec): FigureSpec {
  const inherited = new Set(Object.getOwnPropertyNames(Object.prototype));
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return inherited.has(value) ? `${value}\u2060` : value;
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rename(inner)]));
  };
  const entries = Object.entries(spec).map(([key, value]) => [key, rename(value)] as const);
  return { $schema: spec.$schema, ...Object.fromEntries(entries) };
}

/** A scale of an encoding: the same for a label in every figure, however many it shows. */
function styleScale(labels: readonly string[], look: 'color' | 'dash'): object {
  const range = assignStyles(labels).map(({ color, dash }) =>
    look === 'color' ? color : dash.length === 0 ? SOLID : dash,
  );
  return { domain: labels, range };
}

/** Color and dash by label, for lines; the legend may be left out where labels stand elsewhere. */
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
    color: { ...common, scale: styleScale(labels, 'color') },
    strokeDash: { ...common, scale: styleScale(labels, 'dash') },
  };
}

/** Color by label, for bars, whose labels stand beside them. */
export function fillEncoding(labels: readonly string[]): object {
  return { field: 'run', type: 'nominal', scale: styleScale(labels, 'color'), legend: null };
}
