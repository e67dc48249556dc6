/** The numbers behind the figures: means over seeds with intervals, epoch by epoch and layer by layer. */

import type { PublishedAnalysis } from '@grok/analysis';
import type { MetricsRow } from '@grok/core';
import { type BegunRun, mean, sd, tQuantile } from '@grok/study';
import { formatLabel, listLabels } from './style.js';

/** A point of a curve: the mean over `seeds`, and its 95 % t interval (the mean itself for one seed). */
export interface Point {
  readonly run: string;
  readonly epoch: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly seeds: number;
}

/** A curve for each label; an epoch that not every finished seed came to is left out. */
export function averageCurves(
  runs: readonly BegunRun[],
  of: (row: MetricsRow) => number,
  bounds: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): readonly Point[] {
  return listLabels(runs).flatMap((label) => {
    const own = runs.filter((run) => formatLabel(run) === label);
    const tables = own.map(
      ({ history }) => new Map(history.map((row) => [row.epoch, of(row)] as const)),
    );
    const epochs = [...tables[0]!.keys()].filter((epoch) => tables.every((t) => t.has(epoch)));
    return epochs.map((epoch) => {
      const values = tables.map((table) => table.get(epoch)!);
      return { run: label, epoch, ...spread(values, bounds) };
    });
  });
}

/** Mean and 95 % t interval, kept within bounds that values cannot leave. */
export function spread(
  values: readonly number[],
  [least, most]: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): { value: number; low: number; high: number; seeds: number } {
  const n = values.length;
  const value = mean(values);
  const reach = n < 2 ? 0 : (tQuantile(0.975, n - 1) * sd(values)) / Math.sqrt(n);
  const [low, high] = [Math.max(least, value - reach), Math.min(most, value + reach)];
  return { value: rounded(value), low: rounded(low), high: rounded(high), seeds: n };
}

/** A bar: one measure of one layer of one kind of model, over seeds. */
export interface Bar {
  readonly run: string;
  readonly layer: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly seeds: number;
}
/** An analysis of a seed in the published layout, with the label prefix of its override. */
export interface SeedAnalysis {
  readonly seed: number;
  readonly override?: string;
  readonly file: PublishedAnalysis;
}

/** Bars of one part of the published layout, labels in the given order. */
export function averageBars(
  analyses: readonly SeedAnalysis[],
  part: 'cka_scores' | 'effective_ranks' | 'attention_entropies',
  labels: readonly string[],
): readonly Bar[] {
  const found = new Map<string, { run: string; layer: string; values: number[] }>();
  for (const { file, override } of analyses)
    for (const [layer, models] of Object.entries(file[part]))
      for (const [name, value] of Object.entries(models)) {
        if (value === null) continue;
        const run = formatLabel({ name, ...(override === undefined ? {} : { override }) });
        const key = `${layer} ${run}`;
        const bar = found.get(key) ?? { run, layer: layer.replace('layer_', ''), values: [] };
        bar.values.push(value);
        found.set(key, bar);
      }
  return [...found.values()]
    .toSorted(
      (a, b) => Number(a.layer) - Number(b.layer) || labels.indexOf(a.run) - labels.indexOf(b.run),
    )
    .map(({ run, layer, values }) => ({ run, layer, ...spread(values) }));
}

/** Six significant digits: more would make every rerun's figure another file for rounding's sake. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
