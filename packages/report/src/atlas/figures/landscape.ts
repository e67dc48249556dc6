/** The loss around and between trained parameters. */
import type { TableRow } from '@grok/analysis';
import { type AtlasFigure, averageOverSeeds, collectRows, type Drawing } from '../figure.js';
import { bars, choose, lines } from '../marks.js';
import { whose } from './columns.js';

const group = 'Landscape';
const LEAST = 1e-6;
const t = { field: 't', title: 'place on the line' };
const nats = { field: 'value', title: 'loss (nats)' };
const logScale = { type: 'log' };
const bounds = [LEAST, Number.POSITIVE_INFINITY] as const;

const atLeast = (rows: readonly TableRow[]): readonly TableRow[] =>
  rows.map((row) => ({
    ...row,
    loss: typeof row.loss === 'number' ? Math.max(LEAST, row.loss) : null,
  }));

/** From initial to final parameters. */
export const lineFigure: AtlasFigure = {
  id: 'loss-line',
  group,
  title: 'From initial to final parameters',
  caption:
    'Cross-entropy over rows of training and validation on the straight line from the initial (0) to the final parameters (1), log scale, means over seeds with 95 % t intervals. At 0 the model answers by chance.',
  data: (runs) =>
    averageOverSeeds(atLeast(collectRows(runs, 'landscape', 'line')), ['t'], 'loss', { bounds }),
  draw: (_, labels) => lines({ x: t, y: nats, labels, yScale: logScale }),
};

/** Along a random direction. */
export const sliceFigure: AtlasFigure = {
  id: 'loss-slice',
  group,
  title: 'Along a random direction',
  caption:
    'Cross-entropy along a direction whose filters are as long as the model’s (Li et al. 2018), log scale, means over seeds with 95 % t intervals; 0 is the trained model. The directions themselves are chance: the same draw for every model of a width.',
  data: (runs) =>
    averageOverSeeds(atLeast(collectRows(runs, 'landscape', 'slice')), ['t'], 'loss', { bounds }),
  draw: (_, labels) =>
    lines({ x: { ...t, title: 'length of the step' }, y: nats, labels, yScale: logScale }),
};

/** On two random directions. */
export const planeFigure: AtlasFigure = {
  id: 'loss-plane',
  group,
  title: 'On two random directions',
  caption:
    'Cross-entropy (log scale) on the plane of two directions whose filters are as long as the model’s (Li et al. 2018); the trained model is in the middle. Both directions are chance, so a shape that all models have says nothing of one.',
  data: (runs) => atLeast(collectRows(runs, 'landscape', 'plane')),
  draw: (rows) => drawPlane(rows, { x: 'first direction', y: 'second direction' }),
};

/** Along a run's own path. */
export const trajectoryFigure: AtlasFigure = {
  id: 'loss-trajectory',
  group,
  title: 'Along the path of training',
  caption:
    'Cross-entropy (log scale) on the plane of most variance through a run’s recorded states, and its path there; its last state is at (0, 0). A random walk looks like a half circle on its first two components by chance.',
  data: (runs) => [
    ...atLeast(collectRows(runs, 'trajectory', 'plane')),
    ...collectRows(runs, 'trajectory', 'path'),
  ],
  draw: (rows) => {
    const {
      mark,
      encoding,
      transform = [],
      ...rest
    } = drawPlane(
      rows.filter((row) => row.loss !== undefined),
      { x: 'first component', y: 'second component' },
    );
    const point = {
      x: { field: 'x', type: 'quantitative' },
      y: { field: 'y', type: 'quantitative' },
    };
    const isState = { filter: 'isValid(datum.step)' };
    return {
      ...rest,
      transform,
      layer: [
        { transform: [{ filter: '!isValid(datum.step)' }], mark, encoding },
        {
          transform: [isState],
          mark: { type: 'line', color: '#d55e00', aria: false },
          encoding: { ...point, order: { field: 'step' } },
        },
        {
          transform: [isState],
          mark: { type: 'point', color: '#d55e00', filled: true, size: 40 },
          encoding: { ...point, tooltip: [{ field: 'step', title: 'step' }] },
        },
      ],
    };
  },
};

/** Cells of a grid of numbers, colored by the logarithm of the loss. */
function drawPlane(
  rows: readonly TableRow[],
  { x, y }: { readonly x: string; readonly y: string },
): Drawing {
  const axis = (field: string, title: string): object => ({
    ...{ field, type: 'quantitative', title },
    scale: { zero: false, nice: false, padding: 14 },
  });
  return {
    ...choose(rows, whose),
    width: 360,
    height: 360,
    mark: { type: 'square', size: 640, opacity: 1 },
    encoding: {
      x: axis('x', x),
      y: axis('y', y),
      color: {
        ...{ field: 'loss', type: 'quantitative', title: 'loss (nats)' },
        scale: { type: 'log', scheme: 'viridis' },
      },
      tooltip: [
        ...[
          { field: 'x', title: x },
          { field: 'y', title: y },
        ],
        ...[
          { field: 'loss', title: 'loss (nats)' },
          { field: 'accuracy', title: 'accuracy' },
        ],
      ],
    },
  };
}

/** Barriers between runs. */
export const barriersFigure: AtlasFigure = {
  id: 'barriers',
  group,
  title: 'Barriers between runs',
  caption:
    'How far the loss rises above the chord on the straight line to a run of another seed, and to the control of the same seed, before and after neurons, heads and the residual stream are aligned; means with 95 % t intervals. Barriers between seeds are what chance gives: what is below them was inherited.',
  data: (runs) =>
    averageOverSeeds(
      collectRows(runs, 'connectivity', 'barriers').map((row) => ({
        ...row,
        between: `${row.differ === 'seed' ? 'other seed' : 'control'}, ${row.basis}`,
      })),
      ['between'],
      'loss',
      { bounds: [0, Number.POSITIVE_INFINITY] },
    ),
  draw: (_, labels) =>
    bars({
      ...{ x: { field: 'between', title: 'line to' }, labels },
      y: { field: 'value', title: 'barrier (nats)' },
    }),
};

/** Lines between runs. */
export const connectionsFigure: AtlasFigure = {
  id: 'mode-connectivity',
  group,
  title: 'Lines between runs',
  caption:
    'Cross-entropy (log scale) on the straight line from a run (0) to another (1), before and after alignment, means over pairs with 95 % t intervals. Lines to another seed are what chance gives.',
  data: (runs) =>
    averageOverSeeds(
      atLeast(collectRows(runs, 'connectivity', 'paths')).map((row) => ({
        ...row,
        to: row.differ === 'seed' ? 'another seed' : 'the control of its seed',
      })),
      ['to', 'basis', 't'],
      'loss',
      { bounds },
    ),
  draw: (rows, labels) =>
    lines({
      ...{ x: t, y: nats, labels, yScale: logScale },
      choices: choose(rows, [
        { field: 'to', title: 'to' },
        { field: 'basis', title: 'basis' },
      ]),
    }),
};
