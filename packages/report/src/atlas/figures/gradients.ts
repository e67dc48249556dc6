/** Gradients: their size, their signal, and the angles between the terms of a loss. */
import { type AtlasFigure, averageOverSeeds, collectRows } from '../figure.js';
import { bars, choose, heatMap, lines } from '../marks.js';
import { overTraining, step, whose } from './columns.js';

const group = 'Gradients';
const layer = { field: 'layer', title: 'layer' };

function overSteps(
  about: Pick<AtlasFigure, 'id' | 'title' | 'caption'>,
  column: string,
  title: string,
  yScale?: object,
): AtlasFigure {
  return {
    ...about,
    group,
    data: (runs) => overTraining(collectRows(runs, 'gradients', 'gradients'), ['layer'], column),
    draw: (rows, labels) =>
      lines({
        ...{ x: step, y: { field: 'value', title }, labels, ...(yScale && { yScale }) },
        ...{ choices: choose(rows, [layer]), xScale: { type: 'log' } },
      }),
  };
}

/** Norms of gradients. */
export const gradientNormsFigure: AtlasFigure = overSteps(
  {
    id: 'gradient-norms',
    title: 'Gradient norms',
    caption:
      'L2 norm of the mean gradient of the cross-entropy on training rows, without dropout, by step (log scale; step 0 is drawn at 1), means over seeds with 95 % t intervals. Step 0 is chance: the same model before training.',
  },
  'norm',
  'L2 norm',
);

/** Signal-to-noise of gradients. */
export const signalToNoiseFigure: AtlasFigure = overSteps(
  {
    id: 'gradient-signal-to-noise',
    title: 'Signal-to-noise of gradients',
    caption:
      'Squared norm of the expected gradient over the variance of one batch’s, from four batches of training rows, both unbiased; means over seeds with 95 % t intervals, by step (log scale; step 0 is drawn at 1). Where batches agree by chance only it is 0.',
  },
  'signalToNoise',
  'signal / noise',
);

/** Agreement of batches. */
export const agreementFigure: AtlasFigure = overSteps(
  {
    id: 'gradient-agreement',
    title: 'Agreement of batches',
    caption:
      'Mean cosine between the gradients of every two of four batches of training rows, means over seeds with 95 % t intervals, by step (log scale; step 0 is drawn at 1). Where there is no signal it is 0 but for chance.',
  },
  'agreement',
  'cosine',
);

/** Angles between terms. */
export const termCosinesFigure: AtlasFigure = {
  id: 'term-cosines',
  group,
  title: 'Angles between the terms of the loss',
  caption:
    'Cosine between the gradients of every two terms of a run’s loss at its last step: 1 where they pull together, below 0 where they pull apart. The deviation of the cosine of random directions, 1/√parameters, is shown with each cell as chance.',
  data: (runs) => {
    const rows = collectRows(runs, 'terms', 'cosines');
    return rows.filter((row) => row.a !== row.b);
  },
  draw: (rows) =>
    heatMap({
      rows,
      ...{ x: { field: 'b', title: 'term' }, y: { field: 'a', title: 'other term' } },
      ...{ value: { field: 'cosine', title: 'cosine' }, domain: [-1, 1], diverging: true },
      choices: choose(rows, [...whose, layer]),
      reported: [{ field: 'chance', title: 'chance' }],
    }),
};

/** Means over seeds of the largest curvature. */
export const hessianFigure: AtlasFigure = {
  id: 'hessian',
  group: 'Landscape',
  title: 'Curvature of the loss',
  caption:
    'Leading eigenvalues of the Hessian of the cross-entropy at the last step, the smallest, and the trace, means over seeds with 95 % t intervals. A flat loss has 0; the control, which had no teacher, stands beside.',
  data: (runs) => averageOverSeeds(collectRows(runs, 'hessian', 'hessian'), ['name'], 'value'),
  draw: (_, labels) =>
    bars({
      x: { field: 'name', title: 'value' },
      y: { field: 'value', title: 'curvature' },
      labels,
    }),
};
