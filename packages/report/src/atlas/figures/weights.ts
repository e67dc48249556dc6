/** Weights: their sizes, distributions and ranks. */
import type { TableRow } from '@grok/analysis';
import { type AtlasFigure, averageOverSeeds, collectRows, type Drawing, SHARE } from '../figure.js';
import { bars, both, choose, lines, slide, unpackValues } from '../marks.js';
import { overTraining, step, whose } from './columns.js';

const group = 'Weights';
const layer = { field: 'layer', title: 'layer' };
const matrix = { field: 'matrix', title: 'matrix' };
const MODEL_STEP =
  'by step (log scale; step 0 is drawn at 1), means over seeds with 95 % t intervals. Step 0 is chance: the same model before training.';

function statistic(
  about: Pick<AtlasFigure, 'id' | 'title' | 'caption'>,
  column: string,
  title: string,
): AtlasFigure {
  return {
    ...about,
    group,
    data: (runs) => overTraining(collectRows(runs, 'training', 'weights'), ['layer'], column),
    draw: (rows, labels) =>
      lines({
        ...{ x: step, y: { field: 'value', title }, labels },
        ...{ choices: choose(rows, [layer]), xScale: { type: 'log' } },
      }),
  };
}

/** Norms of weights. */
export const magnitudesFigure: AtlasFigure = statistic(
  {
    id: 'weight-norms',
    title: 'Magnitude of the weights',
    caption: `L2 norm of a layer’s weights, ${MODEL_STEP}`,
  },
  'l2',
  'L2 norm',
);

/** Kurtosis of weights. */
export const kurtosisFigure: AtlasFigure = statistic(
  {
    id: 'weight-kurtosis',
    title: 'Kurtosis of the weights',
    caption: `Excess kurtosis of a layer’s weights, 0 for a normal distribution, ${MODEL_STEP}`,
  },
  'kurtosis',
  'excess kurtosis',
);

/** Sparsity of weights. */
export const sparsityFigure: AtlasFigure = statistic(
  {
    id: 'weight-sparsity',
    title: 'Sparsity of the weights',
    caption: `Share of a layer’s weights below 1e-6, ${MODEL_STEP}`,
  },
  'sparsity',
  'share of zeros',
);

/** Histograms of weights during training. */
export const histogramsFigure: AtlasFigure = {
  id: 'weight-histograms',
  group,
  title: 'Histograms of the weights',
  caption:
    'Share of a layer’s weights in each of 40 equal bins. The slider goes through the recorded states of training, from step 0, which is chance: the same model before training.',
  data: (runs) =>
    collectRows(runs, 'training', 'weights').map(
      ({ run = '', seed = 0, layer = '', step = 0, from = 0, to = 0, ...row }) => ({
        ...{ run, seed, layer, step, from, to },
        ...{ shares: row.shares ?? '', sharesLow: row.sharesLow ?? 0 },
        sharesHigh: row.sharesHigh ?? 0,
      }),
    ),
  draw: drawHistogram,
};

function drawHistogram(rows: readonly TableRow[]): Drawing {
  const choices = both(choose(rows, [...whose, layer]), slide(rows, step));
  return {
    params: choices.params,
    transform: [
      ...choices.transform,
      ...unpackValues('shares'),
      { calculate: 'datum.from + (datum.to - datum.from) * (datum.at - 1) / 40', as: 'left' },
      { calculate: 'datum.from + (datum.to - datum.from) * datum.at / 40', as: 'right' },
    ],
    width: 'container',
    height: 240,
    mark: { type: 'bar', stroke: '#808080', strokeWidth: 0.5 },
    encoding: {
      x: { field: 'left', type: 'quantitative', title: 'weight', scale: { zero: false } },
      x2: { field: 'right' },
      y: { field: 'unpacked', type: 'quantitative', title: 'share of weights' },
      tooltip: [
        { field: 'step', title: 'step' },
        { field: 'left', title: 'from' },
        { field: 'right', title: 'to' },
        { field: 'unpacked', title: 'share' },
      ],
    },
  };
}

/** Singular values of weight matrices. */
export const spectraFigure: AtlasFigure = {
  id: 'weight-spectra',
  group,
  title: 'Singular values of weight matrices',
  caption:
    'Singular values over the largest, means over seeds with 95 % t intervals. The matrix before training, which is chance, falls off slowly: it is shown with each point.',
  data: (runs) =>
    averageOverSeeds(collectRows(runs, 'weights', 'spectra'), ['matrix', 'at'], 'value', {
      chance: 'initial',
      bounds: SHARE,
    }),
  draw: (rows, labels) =>
    lines({
      ...{ x: { field: 'at', title: 'number' }, labels },
      y: { field: 'value', title: 'singular value over the largest' },
      choices: choose(rows, [matrix]),
    }),
};

/** Effective ranks of weight matrices. */
export const weightRanksFigure: AtlasFigure = {
  id: 'weight-ranks',
  group,
  title: 'Effective rank of weight matrices',
  caption:
    'Roy and Vetterli’s effective rank, means over seeds with 95 % t intervals. The mark across a bar is that of the same matrix before training, which is chance.',
  data: (runs) =>
    averageOverSeeds(collectRows(runs, 'weights', 'ranks'), ['matrix'], 'rank', {
      chance: 'initial',
    }),
  draw: (_, labels) =>
    bars({ x: matrix, y: { field: 'value', title: 'effective rank (directions)' }, labels }),
};
