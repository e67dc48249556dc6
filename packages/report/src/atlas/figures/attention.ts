/** Where heads look, and how widely. */
import { type AtlasFigure, averageOverSeeds, collectRows, SHARE } from '../figure.js';
import { bars, choose, heatMap, lines } from '../marks.js';
import { block, head, nameHeads, overTraining, step, whose } from './columns.js';

const group = 'Attention';
const query = { field: 'query', title: 'query' };
const key = { field: 'key', title: 'key' };

/** Mean attention patterns. */
export const patternsFigure: AtlasFigure = {
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
export const entropyByPositionFigure: AtlasFigure = {
  id: 'entropy-positions',
  group,
  title: 'Attention entropy by position',
  caption:
    'Entropy of attention in nats, by head and query position. Attention to all keys alike, the most there can be, is shown with each cell; the first position has one key and 0.',
  data: (runs) => nameHeads(collectRows(runs, 'attention', 'entropies')),
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
export const entropyFigure: AtlasFigure = {
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

/** Modes of heads. */
export const attentionModesFigure: AtlasFigure = {
  id: 'attention-modes',
  group,
  title: 'Modes of attention',
  caption:
    'Clusters of a head’s patterns at the last query over validation rows: the mean attention of each mode (rows) to each key (columns). The mean silhouette, and that of as many clusters of normal draws with the same covariance, which is chance, are shown with each cell.',
  data: (runs) => collectRows(runs, 'modes', 'centroids'),
  draw: (rows) =>
    heatMap({
      rows,
      ...{ x: key, y: { field: 'mode', title: 'mode' } },
      ...{ value: { field: 'weight', title: 'attention' }, domain: [0, 1] },
      choices: choose(rows, [...whose, block, head]),
      reported: [
        { field: 'silhouette', title: 'silhouette' },
        { field: 'chance', title: 'chance' },
      ],
    }),
};

/** What modes follow. */
export const modesFollowFigure: AtlasFigure = {
  id: 'attention-modes-follow',
  group,
  title: 'What modes of attention follow',
  caption:
    'Mutual information (nats) of a head’s modes with the operands and the answer, means over seeds with 95 % t intervals. The mark across a bar is that with permuted rows.',
  data: (runs) =>
    averageOverSeeds(
      collectRows(runs, 'modes', 'related'),
      ['block', 'head', 'grouping'],
      'value',
      { chance: 'chance' },
    ),
  draw: (rows, labels) =>
    bars({
      ...{ x: { field: 'grouping', title: 'what' }, labels },
      y: { field: 'value', title: 'mutual information (nats)' },
      choices: choose(rows, [block, head]),
    }),
};

/** Modes shared with the teacher. */
export const modesMatchedFigure: AtlasFigure = {
  id: 'attention-modes-matched',
  group,
  title: 'Modes shared with the teacher',
  caption:
    'Share of rows whose mode is matched with their mode in the teacher, heads and modes matched by optimal assignment; means over seeds with 95 % t intervals. The mark across a bar is that with permuted rows.',
  data: (runs) =>
    averageOverSeeds(
      nameHeads(collectRows(runs, 'matched-modes', 'matched')),
      ['place'],
      'agreement',
      { chance: 'chance', bounds: SHARE },
    ),
  draw: (_, labels) =>
    bars({
      ...{ x: { field: 'place', title: 'head' }, labels, domain: [0, 1] },
      y: { field: 'value', title: 'share of rows' },
    }),
};

/** From tokens to logits. */
export const attentionFlowFigure: AtlasFigure = {
  id: 'attention-flow',
  group,
  title: 'From tokens to logits',
  caption:
    'How much of what the logits read comes from each token: attention rollout, and the largest flow with attention as capacity (Abnar and Zuidema 2020); means over seeds with 95 % t intervals. The mark across a bar is what attention to all keys alike gives.',
  data: (runs) =>
    averageOverSeeds(collectRows(runs, 'modes', 'flow'), ['measure', 'token'], 'value', {
      chance: 'chance',
      bounds: SHARE,
    }),
  draw: (rows, labels) =>
    bars({
      ...{ x: { field: 'token', title: 'token' }, labels, domain: [0, 1] },
      y: { field: 'value', title: 'share' },
      choices: choose(rows, [{ field: 'measure', title: 'measure' }]),
    }),
};

/** The graph that flow goes through. */
export const flowEdgesFigure: AtlasFigure = {
  id: 'attention-flow-edges',
  group,
  title: 'Flow through the layers',
  caption:
    'Mean weight of each edge from a position (rows) to one a layer on (columns), attention and residual stream by halves; the last layer leads to the logits. Without attention, or by chance alike, the diagonal would have at least a half.',
  data: (runs) => collectRows(runs, 'modes', 'edges'),
  draw: (rows) =>
    heatMap({
      rows,
      ...{ x: { field: 'to', title: 'to' }, y: { field: 'from', title: 'from' } },
      ...{ value: { field: 'weight', title: 'weight' }, domain: [0, 1] },
      choices: choose(rows, [...whose, { field: 'layer', title: 'layer' }]),
    }),
};
