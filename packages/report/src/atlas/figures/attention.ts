/** Where heads look, and how widely. */
import { type AtlasFigure, collectRows } from '../figure.js';
import { choose, heatMap, lines } from '../marks.js';
import { block, head, overTraining, step, whose } from './columns.js';

const group = 'Attention';
const query = { field: 'query', title: 'query' };
const key = { field: 'key', title: 'key' };

/** Mean attention patterns. */
export const patterns: AtlasFigure = {
  id: 'patterns',
  group,
  title: 'Attention patterns',
  caption:
    'Mean attention from each query (rows) to each key (columns) over validation rows. Attention to all keys alike is 1 divided by the number of keys up to the query.',
  data: (runs) => collectRows(runs, 'attention', 'patterns'),
  draw: (rows) =>
    heatMap({
      rows,
      ...{ x: key, y: query, value: { field: 'weight', title: 'attention' }, domain: [0, 1] },
      choices: choose(rows, [...whose, block, head]),
    }),
};

/** Entropy of each head at each position. */
export const entropyByPosition: AtlasFigure = {
  id: 'entropy-positions',
  group,
  title: 'Attention entropy by position',
  caption:
    'Entropy of attention in nats, by head and query position. Attention to all keys alike, the most there can be, is shown with each cell; the first position has one key and 0.',
  data: (runs) =>
    collectRows(runs, 'attention', 'entropies').map((row) => ({
      ...row,
      place: `block ${row.block}, head ${row.head}`,
    })),
  draw: (rows) =>
    heatMap({
      rows,
      ...{ x: query, y: { field: 'place', title: 'head' } },
      value: { field: 'entropy', title: 'entropy (nats)' },
      choices: choose(rows, whose),
      reported: [{ field: 'uniform', title: 'chance' }],
    }),
};

/** Entropy during training. */
export const entropy: AtlasFigure = {
  id: 'entropy',
  group,
  title: 'Attention entropy during training',
  caption:
    'Mean entropy of a head’s attention in nats, by step (log scale; step 0 is drawn at 1), means over seeds with 95 % t intervals. Step 0 is chance: the same model before training.',
  data: (runs) =>
    overTraining(collectRows(runs, 'training', 'entropies'), ['block', 'head'], 'entropy'),
  draw: (rows, labels) =>
    lines({
      ...{ x: step, y: { field: 'value', title: 'entropy (nats)' }, labels },
      ...{ choices: choose(rows, [block, head]), xScale: { type: 'log' } },
    }),
};
