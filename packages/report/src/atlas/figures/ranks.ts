/** How many directions hidden states take, during training and at its end. */
import { type AtlasFigure, collectRows } from '../figure.js';
import { choose, lines } from '../marks.js';
import { nameSites, overTraining, site, step } from './columns.js';

/** Effective rank of states during training. */
export const ranksFigure: AtlasFigure = {
  id: 'ranks',
  group: 'Representations',
  title: 'Effective rank of hidden states',
  caption:
    'Roy and Vetterli’s effective rank of centered states on validation rows, by step (log scale; step 0 is drawn at 1), means over seeds with 95 % t intervals. Step 0 is chance: the same model before training.',
  data: (runs) => overTraining(nameSites(collectRows(runs, 'training', 'ranks')), ['site'], 'rank'),
  draw: (rows, labels) =>
    lines({
      ...{ x: step, y: { field: 'value', title: 'effective rank (directions)' }, labels },
      ...{ choices: choose(rows, [site]), xScale: { type: 'log' } },
    }),
};
