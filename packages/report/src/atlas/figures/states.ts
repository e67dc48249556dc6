/** Hidden states as points. */
import type { TableRow } from '@grok/analysis';
import { type AtlasFigure, collectRows, type Drawing } from '../figure.js';
import { type ChartField, choose } from '../marks.js';
import { nameSites, site, whose } from './columns.js';

const group = 'Representations';
const layout = { field: 'layout', title: 'layout' };

function drawPoints(rows: readonly TableRow[], columns: readonly ChartField[]): Drawing {
  return {
    ...choose(rows, [...whose, ...columns]),
    width: 'container',
    height: 360,
    mark: { type: 'circle', size: 40, opacity: 0.85 },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: 'first axis' },
      y: { field: 'y', type: 'quantitative', title: 'second axis' },
      color: {
        ...{ field: 'answer', type: 'quantitative', title: 'answer' },
        scale: { scheme: 'rainbow' },
      },
      tooltip: [
        { field: 'answer', title: 'answer' },
        { field: 'trust', title: 'trustworthiness' },
      ],
    },
  };
}

/** Principal components of hidden states. */
export const principalComponentsFigure: AtlasFigure = {
  id: 'pca',
  group,
  title: 'Hidden states along their principal components',
  caption:
    'Validation rows at the last position, colored by the answer. Where the state says nothing of the answer, colors are mixed as by chance.',
  data: (runs) =>
    nameSites(collectRows(runs, 'states', 'points').filter((row) => row.layout === 'PCA')).map(
      ({ layout: _, trust, ...row }) => row,
    ),
  draw: (rows) => drawPoints(rows, [site]),
};

/** UMAP and t-SNE of the last hidden state. */
export const layoutsFigure: AtlasFigure = {
  id: 'umap-tsne',
  group,
  title: 'UMAP and t-SNE of the last hidden state',
  caption:
    'Validation rows at the last position, colored by the answer; near points are near states, distances between far ones mean nothing. Trustworthiness, shown with each point, is 1 where neighbors are those of the states, and .5 by chance.',
  data: (runs) => collectRows(runs, 'states', 'points').filter((row) => row.layout !== 'PCA'),
  draw: (rows) => drawPoints(rows, [layout]),
};

/** Rows on their way through training. */
export const trajectoriesFigure: AtlasFigure = {
  id: 'trajectories',
  group,
  title: 'Rows on their way through training',
  caption:
    'The last hidden state of 12 validation rows at each recorded state, along the principal components of all; the large mark is the first state at 99 % of validation accuracy. How many times longer than straight the way was is shown with each point, and what a random walk gives, which is chance.',
  data: (runs) => collectRows(runs, 'trajectories', 'paths'),
  draw: (rows) => ({
    ...choose(rows, whose),
    width: 'container',
    height: 360,
    encoding: {
      x: { field: 'x', type: 'quantitative', title: 'first component' },
      y: { field: 'y', type: 'quantitative', title: 'second component' },
      color: { field: 'row', type: 'nominal', title: 'row', scale: { scheme: 'tableau20' } },
    },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 1.5, aria: false },
        encoding: { order: { field: 'step' } },
      },
      {
        mark: { type: 'point', filled: true },
        encoding: {
          size: {
            ...{ field: 'crossed', type: 'quantitative', legend: null },
            scale: { domain: [0, 1], range: [20, 160] },
          },
          tooltip: [
            { field: 'row', title: 'row' },
            { field: 'step', title: 'step' },
            { field: 'detour', title: 'length over the straight line' },
            { field: 'chance', title: 'chance' },
          ],
        },
      },
    ],
  }),
};
