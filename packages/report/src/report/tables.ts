/** The paper's tables 4.2.1, 4.3.1 to 4.3.4 and 4.4.2 from runs, in their layout: what it left open is filled. */

import { own } from '@grok/core/internal';
import { type BegunRun, type Comparison, mean, median, type StudySummary, sd } from '@grok/study';
import { percent } from '../table.js';
import type { SeedAnalysis } from './data.js';
import type { Table } from './grid.js';
import { formatLabel, listLabels } from './style.js';

const NONE = '–';

/** All tables for which the runs and analyses have data. */
export function buildTables(
  runs: readonly BegunRun[],
  analyses: readonly SeedAnalysis[],
  summary?: StudySummary,
): readonly Table[] {
  const students = runs.filter(({ role }) => role !== 'teacher');
  return [
    resultsTable(students.length === 0 ? runs : students),
    ...(analyses.length === 0 ? [] : insideTables(runs, analyses)),
    seedsTable(runs, summary),
  ];
}

function resultsTable(runs: readonly BegunRun[]): Table {
  const rows = listLabels(runs).map((label) => {
    const own = of(runs, label);
    const { name, override } = own[0]!;
    const control = runs.filter((run) => run.name === 'none' && run.override === override);
    const [ours, base] = [medianEpochs(own), medianEpochs(control)];
    // A control that never came to it took longer than it lasted.
    const least = Math.max(...control.map(({ record }) => record.epochs), 0);
    const ratio =
      ours === null || control.length === 0
        ? NONE
        : `${base === null ? '> ' : ''}${((base ?? least) / ours).toFixed(2)} ×`;
    const finals = own.map(({ record }) => record.finalValAccuracy ?? 0);
    return [
      leakedLabel(own, label),
      String(Math.max(...own.map(({ record }) => record.epochs))),
      epochsText(own),
      `${percent(mean(finals))}${finals.length > 1 ? ` ± ${percent(sd(finals))}` : ''}`,
      name === 'none' ? 'Baseline' : ratio,
    ];
  });
  return {
    name: 'table-4.2.1',
    title: 'Summary of results (the paper’s 4.2.1)',
    note: 'Speed-up: median epochs to 99 % of the control without a teacher (none) over those of the strategy. Of several seeds: median epochs and how many came to it; mean ± standard deviation of the accuracy.',
    head: [
      ...['Distillation strategy', 'Total epochs', 'Epochs to 99 % val. acc.'],
      ...['Final val. acc. (%)', 'Speed-up'],
    ],
    rows,
  };
}

function insideTables(
  runs: readonly BegunRun[],
  analyses: readonly SeedAnalysis[],
): readonly Table[] {
  const labels = listLabels(runs);
  const students = listLabels(runs.filter(({ role }) => role !== 'teacher'));
  const published = analyses.every(
    ({ file }) =>
      Object.keys(file.effective_ranks).length === Object.keys(file.attention_entropies).length,
  );
  const where = published
    ? 'Layers 0 and 1 are hidden states 0 and 1 (the embedding, block 0 after attention), the first 500 training rows, as published'
    : 'All hidden states in order, validation rows';
  const layers = (
    name: string,
    title: string,
    part: 'cka_scores' | 'effective_ranks' | 'attention_entropies',
    of: readonly string[],
    digits: number,
    note: string,
  ): Table => ({
    name,
    title,
    note,
    head: ['Layer', ...of],
    rows: averageLayers(analyses, part).map((layer) => [
      layer.replace('layer_', 'Layer '),
      ...of.map((label) => {
        const found = analyses.flatMap(({ file, override }) =>
          Object.entries(own(file[part], layer) ?? {})
            .filter(([model]) => labelled(model, override) === label)
            .map(([, value]) => value),
        );
        return spreadText(found, digits);
      }),
    ]),
  });
  return [
    layers(
      'table-4.3.1',
      'Representation similarity, CKA (the paper’s 4.3.1)',
      'cka_scores',
      students,
      3,
      `Biased linear CKA with the teacher, which positions alone bring close to these values: compare the control’s, and the nulls of the debiased CKA. ${where}.`,
    ),
    layers(
      'table-4.3.2',
      'Hidden state dimensionality, effective rank (the paper’s 4.3.2)',
      'effective_ranks',
      labels,
      1,
      `(Σs)²/Σs² over s > 1 % of the largest, uncentered. ${where}.`,
    ),
    layers(
      'table-4.3.3',
      'Attention entropy in nats (the paper’s 4.3.3)',
      'attention_entropies',
      labels,
      3,
      'Mean over heads and queries; layers are blocks.',
    ),
    weightsTable(labels, analyses),
  ];
}

/** Every layer that some analysis has, in order: models of several depths may stand side by side. */
function averageLayers(
  analyses: readonly SeedAnalysis[],
  part: 'cka_scores' | 'effective_ranks' | 'attention_entropies',
): readonly string[] {
  return analyses
    .map(({ file }) => Object.keys(file[part]))
    .reduce((most, layers) => (layers.length > most.length ? layers : most), []);
}

function weightsTable(labels: readonly string[], analyses: readonly SeedAnalysis[]): Table {
  const rows = labels.map((label) => {
    const found = analyses.flatMap(({ file, override }) =>
      Object.entries(file.weight_statistics)
        .filter(([model]) => labelled(model.replace(/^student_/, ''), override) === label)
        .map(([, value]) => value),
    );
    const each = (read: (w: Readonly<Record<string, number>>) => number, digits: number): string =>
      spreadText(found.map(read), digits);
    return [
      label,
      found[0]?.total_params?.toLocaleString('en-US') ?? NONE,
      each((w) => w.L1!, 0),
      each((w) => w.L2!, 2),
      each((w) => w.L1! / w.L2!, 1),
      each((w) => w.L1! / (w.L2! * Math.sqrt(w.total_params!)), 3),
    ];
  });
  return {
    name: 'table-4.3.4',
    title: 'Weight statistics (the paper’s 4.3.4)',
    note: 'L1/L2 grows with √N for any weights; L1/(L2·√N) does not.',
    head: ['Model', 'Params', 'L1 norm', 'L2 norm', 'L1/L2 ratio', 'L1/(L2·√N)'],
    rows,
  };
}

function seedsTable(runs: readonly BegunRun[], summary?: StudySummary): Table {
  const rows = listLabels(runs).map((label) => {
    const own = of(runs, label);
    const memory = own.map(({ record }) => record.peakMemoryBytes).filter((b) => b !== null);
    return [
      leakedLabel(own, label),
      spreadText(
        own.map(({ record }) => 100 * (record.finalValAccuracy ?? 0)),
        2,
      ),
      epochsText(own),
      spreadText(
        own.map(({ record }) => record.seconds),
        1,
      ),
      memory.length === 0
        ? NONE
        : spreadText(
            memory.map((b) => b / 2 ** 20),
            0,
          ),
      testText(own[0]!, summary),
    ];
  });
  return {
    name: 'table-4.4.2',
    title: 'Runs over seeds (the paper’s 4.4.2)',
    note: 'Tests of epochs to 99 % against the control (none) over the same seeds: paired t and exact Wilcoxon, two-sided, corrected after Holm in the family of the strategies; others are exploratory and uncorrected.',
    head: [
      ...['Strategy', 'Val. acc. (%)', 'Convergence epoch', 'Time per run (s)'],
      ...['Peak memory (MiB)', 'Statistical tests'],
    ],
    rows,
  };
}

function testText({ name, override }: BegunRun, summary: StudySummary | undefined): string {
  if (name === 'none') return 'Baseline';
  const found = summary?.comparisons.find(
    (c) => c.arm === name && c.override === override && c.measure === 'epochs to 99 %',
  );
  if (found === undefined) return NONE;
  const { holm, pT, pWilcoxon }: Comparison = found;
  const p = (value: number | null): string =>
    value === null ? NONE : value < 0.001 ? '< .001' : value.toFixed(3).replace(/^0/, '');
  return holm === null
    ? `t p ${p(pT)}, W p ${p(pWilcoxon)} (exploratory)`
    : `t p ${p(holm.t)}, W p ${p(holm.wilcoxon)}`;
}

function of(runs: readonly BegunRun[], label: string): readonly BegunRun[] {
  return runs.filter((run) => formatLabel(run) === label);
}
function labelled(name: string, override: string | undefined): string {
  return formatLabel({ name, ...(override === undefined ? {} : { override }) });
}
function leakedLabel(runs: readonly BegunRun[], label: string): string {
  return runs.some(({ record }) => record.leaked) ? `${label} (leaked)` : label;
}

/** Median epochs to 99 %, null when half never came to it: a run that never groks is no missing value. */
function medianEpochs(runs: readonly BegunRun[]): number | null {
  const epochs = runs.map(({ record }) => record.epochsTo['0.99'] ?? Number.POSITIVE_INFINITY);
  const middle = median(epochs);
  return middle === null || !Number.isFinite(middle) ? null : middle;
}
function epochsText(runs: readonly BegunRun[]): string {
  const reached = runs.filter(({ record }) => (record.epochsTo['0.99'] ?? null) !== null).length;
  const middle = medianEpochs(runs);
  const text = middle === null ? 'never' : String(middle);
  return runs.length === 1 ? text : `${text} (${reached}/${runs.length})`;
}

function spreadText(values: readonly (number | null)[], digits: number): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return NONE;
  const text = (x: number): string =>
    x.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text(mean(known))}${known.length > 1 ? ` ± ${text(sd(known))}` : ''}`;
}
