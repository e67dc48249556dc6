/** The paper's figures as Vega-Lite, data inside: the teacher's dynamics and figures 1 to 3, with bands over seeds. */

import type { BegunRun } from '@grok/study';
import type { FigureSpec } from '../render.js';
import { percent } from '../table.js';
import { averageBars, averageCurves, type Point, type SeedAnalysis } from './data.js';
import { fillEncoding, formatLabel, lineEncoding, listLabels, protectNames } from './style.js';

/** A figure: file name, caption and specification. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly spec: FigureSpec;
}

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';
const common = { $schema: SCHEMA, background: 'white', config: { font: 'sans-serif' } };
const ACCURACY = [0, 100] as const;
/** The smallest loss that is drawn. */
const LEAST = 1e-6;

/** All figures for which the runs and analyses have data. */
export function buildFigures(
  runs: readonly BegunRun[],
  analyses: readonly SeedAnalysis[],
): readonly Figure[] {
  const teachers = runs.filter(({ role }) => role === 'teacher');
  return [
    ...(teachers.length === 0 ? [] : [teacherFigure(teachers)]),
    comparisonFigure(runs),
    ...(analyses.length === 0 ? [] : [insideFigure(runs, analyses)]),
    ...(teachers.length === runs.length ? [] : [bandsFigure(runs)]),
  ].map((figure) => ({ ...figure, spec: protectNames(figure.spec) }));
}

function teacherFigure(all: readonly BegunRun[]): Figure {
  // Overrides of the students alone share their teachers.
  const teachers = [
    ...new Map(all.toReversed().map((run) => [run.run, run])).values(),
  ].toReversed();
  const sets = { validation: 'validation', training: 'train' } as const;
  const values = Object.entries(sets).flatMap(([set, part]) =>
    averageCurves(teachers, (row) => 100 * row[part].accuracy, ACCURACY).map((point) => ({
      ...point,
      run: set,
      teacher: point.run,
    })),
  );
  const labels = listLabels(teachers);
  const drawn = lines('accuracy (%)', Object.keys(sets), { domain: ACCURACY });
  const panels = {
    facet: { field: 'teacher', type: 'nominal', sort: labels, title: null },
    columns: 3,
    spec: { width: 240, height: 160, ...drawn },
  };
  return {
    name: 'figure-1-teacher',
    title: `Figure 1a. ${describeGrokking(teachers)}`,
    caption: `Training (dropout on) and validation accuracy of ${labels.length > 1 ? 'each teacher' : 'the teacher'}${seedsText(teachers)}.`,
    spec: {
      ...common,
      data: { values },
      ...(labels.length > 1 ? panels : { width: 520, height: 280, ...drawn }),
    },
  };
}

/** What became of the teachers: how many of them came to 99 % of validation accuracy. */
function describeGrokking(teachers: readonly BegunRun[]): string {
  const { length } = teachers;
  const count = teachers.filter(({ record }) => (record.epochsTo['0.99'] ?? null) !== null).length;
  if (count === length)
    return listLabels(teachers).length === 1 ? 'The teacher groks' : 'The teachers grok';
  const best = percent(Math.max(...teachers.map(({ record }) => record.finalValAccuracy ?? 0)));
  if (length === 1) return `The teacher does not grok: it ends at ${best} % of validation accuracy`;
  return count === 0
    ? `No teacher groks: the best ends at ${best} % of validation accuracy`
    : `${count} of ${length} teachers grok`;
}

function comparisonFigure(runs: readonly BegunRun[]): Figure {
  const labels = listLabels(runs);
  const panel = (title: string, values: readonly Point[], scale: object): object => ({
    width: 380,
    height: 280,
    data: { values },
    ...lines(title, labels, scale),
  });
  return {
    name: 'figure-1',
    title: 'Figure 1. Validation accuracy and training loss',
    caption: `Validation accuracy and total training loss by epoch${seedsText(runs)}. Losses of different objectives are different sums.`,
    spec: {
      ...common,
      hconcat: [
        panel(
          'validation accuracy (%)',
          averageCurves(runs, (row) => 100 * row.validation.accuracy, ACCURACY),
          { domain: ACCURACY },
        ),
        panel(
          'training loss (nats, log scale)',
          // A loss that is rounded to 0 has no logarithm, and would flatten all others.
          averageCurves(runs, (row) => Math.max(row.train.loss, LEAST), [
            LEAST,
            Number.POSITIVE_INFINITY,
          ]),
          { type: 'log' },
        ),
      ],
    },
  };
}

function insideFigure(runs: readonly BegunRun[], analyses: readonly SeedAnalysis[]): Figure {
  const labels = listLabels(runs);
  const panel = (
    part: 'cka_scores' | 'effective_ranks' | 'attention_entropies',
    title: string,
    scale: object,
  ): object => ({
    data: { values: averageBars(analyses, part, labels) },
    facet: {
      column: {
        field: 'layer',
        type: 'ordinal',
        title: part === 'attention_entropies' ? 'block' : 'hidden state',
      },
    },
    spec: {
      width: { step: 22 },
      height: 220,
      encoding: {
        x: { field: 'run', type: 'nominal', sort: labels, title: null, axis: { labelAngle: -60 } },
      },
      layer: [
        {
          mark: { type: 'bar', stroke: 'black', strokeWidth: 0.5 },
          encoding: {
            y: { field: 'value', type: 'quantitative', title, scale },
            color: fillEncoding(labels),
          },
        },
        {
          mark: { type: 'rule', strokeWidth: 1.5, color: '#444444' },
          encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
        },
      ],
    },
  });
  return {
    name: 'figure-2',
    title: 'Figure 2. Inside the models',
    caption: `Similarity to the teacher (biased linear CKA), effective rank, (Σs)²/Σs² over s > 1 % of the largest, and attention entropy, at the last step${seedsText(runs)}.`,
    spec: {
      ...common,
      hconcat: [
        panel('cka_scores', 'CKA with the teacher', { domain: [0, 1] }),
        panel('effective_ranks', 'effective rank (directions)', {}),
        panel('attention_entropies', 'attention entropy (nats)', {}),
      ],
    },
  };
}

function bandsFigure(runs: readonly BegunRun[]): Figure {
  const labels = listLabels(runs);
  const values = averageCurves(runs, (row) => 100 * row.validation.accuracy, ACCURACY);
  return {
    name: 'figure-3',
    title: 'Figure 3. Runs over seeds',
    caption: `Validation accuracy by epoch, each kind of run in a panel of its own${seedsText(runs)}.`,
    spec: {
      ...common,
      data: { values },
      facet: { field: 'run', type: 'nominal', sort: labels, title: null },
      columns: 3,
      spec: {
        width: 240,
        height: 160,
        ...lines('validation accuracy (%)', labels, { domain: ACCURACY }, false),
      },
    },
  };
}

/** Lines with bands of their 95 % intervals; the legend has color and dash in one. */
function lines(title: string, labels: readonly string[], scale: object, legend = true): object {
  const x = { field: 'epoch', type: 'quantitative', title: 'epoch', scale: { nice: false } };
  const y = { type: 'quantitative', title, scale };
  const { color, strokeDash } = lineEncoding(labels, legend);
  return {
    encoding: { x, color },
    layer: [
      {
        mark: { type: 'area', opacity: 0.18, stroke: null },
        encoding: { y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        mark: { type: 'line', strokeWidth: 2 },
        encoding: { y: { ...y, field: 'value' }, strokeDash },
      },
    ],
  };
}

/** Over how many seeds the means are, which may differ from label to label. */
function seedsText(runs: readonly BegunRun[]): string {
  const counts = listLabels(runs).map(
    (label) => runs.filter((run) => formatLabel(run) === label).length,
  );
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most <= 1) return ', one seed';
  const seeds = least === most ? String(most) : `${least} to ${most}`;
  return `; means of ${seeds} seeds, bands and bars 95 % t intervals`;
}
