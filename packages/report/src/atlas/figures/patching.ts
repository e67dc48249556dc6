/** Which parts carry the answer. */
import { type AtlasFigure, averageOverSeeds, collectRows, SHARE } from '../figure.js';
import { bars, choose, heatMap, lines } from '../marks.js';
import { block, nameSites, site, whose } from './columns.js';

const group = 'Causes';
const activation = { field: 'activation', title: 'activation' };

const readGrid: AtlasFigure['data'] = (runs) =>
  collectRows(runs, 'patching', 'grid').map((row) => ({
    ...row,
    place: [row.position, row.head === null ? null : `head ${row.head}`]
      .filter((part) => part !== null)
      .join(', '),
  }));

/** Activation patching. */
export const activationPatchingFigure: AtlasFigure = {
  id: 'activation-patching',
  group,
  title: 'Activation patching',
  caption:
    'How much of the clean answer’s logit difference comes back when one activation of the corrupted run is the clean one: 0 as corrupted, 1 as clean. A part that does not matter gives 0. The first-order estimate by attribution patching is shown with each cell.',
  data: readGrid,
  draw: (rows) =>
    heatMap({
      rows,
      ...{ x: { field: 'place', title: 'position or head' }, y: block },
      ...{ value: { field: 'value', title: 'restored' }, domain: [-1, 1], diverging: true },
      choices: choose(rows, [...whose, activation]),
      reported: [{ field: 'estimate', title: 'estimate' }],
    }),
};

/** Path patching. */
export const pathPatchingFigure: AtlasFigure = {
  id: 'path-patching',
  group,
  title: 'Path patching',
  caption:
    'How much comes back when only the path from a head or an MLP (rows) to a later head’s query, key or value, or to the logits (columns), carries the clean value; other heads are held. A path that does not matter gives 0.',
  data: (runs) => collectRows(runs, 'patching', 'paths'),
  draw: (rows) =>
    heatMap({
      rows,
      ...{ x: { field: 'receiver', title: 'to' }, y: { field: 'sender', title: 'from' } },
      ...{ value: { field: 'value', title: 'restored' }, domain: [-1, 1], diverging: true },
      choices: choose(rows, whose),
    }),
};

/** Direct logit attribution. */
export const directAttributionFigure: AtlasFigure = {
  id: 'direct-logit-attribution',
  group,
  title: 'Direct logit attribution',
  caption:
    'What each part of the residual stream adds to the logit difference by itself (nats), means over seeds with 95 % t intervals. A part without a say gives 0.',
  data: (runs) => averageOverSeeds(collectRows(runs, 'patching', 'direct'), ['component'], 'value'),
  draw: (_, labels) =>
    bars({
      ...{ x: { field: 'component', title: 'part' }, labels },
      y: { field: 'value', title: 'logit difference (nats)' },
    }),
};

/** The logit lens. */
export const logitLensFigure: AtlasFigure = {
  id: 'logit-lens',
  group,
  title: 'Logit lens',
  caption:
    'Accuracy of the answer read from the residual stream at each depth, means over seeds with 95 % t intervals. Chance is 1 / p of a task modulo p.',
  data: (runs) =>
    averageOverSeeds(nameSites(collectRows(runs, 'patching', 'lens')), ['site'], 'accuracy', {
      bounds: SHARE,
    }),
  draw: (_, labels) =>
    lines({ x: site, xType: 'ordinal', y: { field: 'value', title: 'accuracy' }, labels }),
};
