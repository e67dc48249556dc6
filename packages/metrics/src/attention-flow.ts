/**
 * Where a position's value comes from through all layers: attention rollout and attention flow (Abnar &
 * Zuidema 2020, arXiv 2005.00928), on the graph of tokens, layers and logits whose edges are attention,
 * averaged over heads, and the residual connection: ½·pattern + ½·identity.
 */
import { type HostArray, InputError } from '@grok/core';
import { maxFlow } from './max-flow.js';
import { addAt, addScaled } from './sample.js';

/** The value at position `from` after `layer` layers enters position `to` after one more; after the last layer, `to` is 0 and means the logits. */
export interface FlowEdge {
  readonly layer: number;
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}
/** How much of the logits comes from each token, means over rows. */
export interface AttentionFlow {
  readonly layers: number;
  readonly positions: number;
  /** Mean weights, without those that are 0. */
  readonly edges: readonly FlowEdge[];
  /** Share of each token by rollout: the product of the layers' weights; sums to 1. */
  readonly rollout: readonly number[];
  /** The largest flow from each token to the logits, edges' weights as capacities: 0–1. */
  readonly flow: readonly number[];
  /** What the same graph shows where each query attends to all keys that it may see alike. */
  readonly uniform: { readonly rollout: readonly number[]; readonly flow: readonly number[] };
}

/**
 * Rollout and flow of patterns `[batch, head, query, key]`, one a layer, first layer first.
 * @param read the position that the logits are read from, negative ones from the end, or the mean of all
 * @throws InputError on patterns of other shapes, or a position that is not there
 */
export function attentionFlow(
  patterns: readonly HostArray[],
  read: number | 'mean' = -1,
): AttentionFlow {
  const [batch = 0, , positions = 0, keys = 0] = patterns[0]?.shape ?? [];
  for (const { shape } of patterns)
    if (shape.length !== 4 || shape[0] !== batch || shape[2] !== positions || keys !== positions)
      throw new InputError(
        `attention flow: needs patterns [batch, head, pos, pos] of the same rows, got [${shape}]`,
      );
  if (batch === 0) throw new InputError('attention flow: needs the pattern of at least one layer');
  const toLogits = readWeights(positions, read);
  const layers = patterns.map(() => new Float64Array(positions ** 2));
  const [rollout, flow] = [new Float64Array(positions), new Float64Array(positions)];
  for (let row = 0; row < batch; row++) {
    const weights = patterns.map((pattern) => mixHeads(pattern, row));
    for (const [layer, sum] of layers.entries()) addScaled(sum, 1 / batch, weights[layer] ?? []);
    addScaled(rollout, 1 / batch, rollOut(weights, toLogits));
    addScaled(flow, 1 / batch, flowToLogits(weights, toLogits));
  }
  const even = layers.map((weights) => spreadEvenly(weights, positions));
  return {
    layers: patterns.length,
    positions,
    edges: listEdges(layers, toLogits),
    rollout: [...rollout],
    flow: [...flow],
    uniform: { rollout: [...rollOut(even, toLogits)], flow: flowToLogits(even, toLogits) },
  };
}

/** The weight of each position in what the logits are read from. */
function readWeights(positions: number, read: number | 'mean'): Float64Array {
  const weights = new Float64Array(positions);
  if (read === 'mean') return weights.fill(1 / positions);
  const at = read < 0 ? positions + read : read;
  if (!Number.isInteger(at) || at < 0 || at >= positions)
    throw new InputError(
      `attention flow: the position that is read must be an integer from 0 to ${positions - 1} (or −${positions} to −1), or "mean", got ${read}`,
    );
  weights[at] = 1;
  return weights;
}

/** ½·identity + ½·mean over heads of one row's pattern, `[query, key]`. */
function mixHeads({ data, shape }: HostArray, row: number): Float64Array {
  const [, heads = 1, positions = 0] = shape;
  const size = positions ** 2;
  const out = new Float64Array(size);
  for (let head = 0; head < heads; head++) {
    const start = (row * heads + head) * size;
    addScaled(out, 0.5 / heads, data.subarray(start, start + size));
  }
  for (let i = 0; i < positions; i++) addAt(out, i * positions + i, 0.5);
  return out;
}

/** The same with attention spread evenly over the keys that get any. */
function spreadEvenly(weights: Float64Array, positions: number): Float64Array {
  const out = new Float64Array(weights.length);
  for (let query = 0; query < positions; query++) {
    const row = weights.subarray(query * positions, (query + 1) * positions);
    // The residual connection alone gives the diagonal a half.
    const seen = [...row.keys()].filter((key) => (row[key] ?? 0) > (key === query ? 0.5 : 0));
    for (const key of seen) addAt(out, query * positions + key, 0.5 / seen.length);
    addAt(out, query * positions + query, 0.5);
  }
  return out;
}

/** The product of the layers' weights, read at the end. */
function rollOut(layers: readonly Float64Array[], toLogits: Float64Array): Float64Array {
  return layers.reduceRight((to, weights) => {
    const from = new Float64Array(to.length);
    for (const [query, share] of to.entries())
      addScaled(from, share, weights.subarray(query * to.length, (query + 1) * to.length));
    return from;
  }, toLogits);
}

/** The largest flow from each token. */
function flowToLogits(layers: readonly Float64Array[], toLogits: Float64Array): readonly number[] {
  const positions = toLogits.length;
  const sink = (layers.length + 1) * positions;
  const nodes = sink + 1;
  const capacities = new Float64Array(nodes ** 2);
  for (const { layer, from, to, weight } of listEdges(layers, toLogits)) {
    const target = layer === layers.length ? sink : (layer + 1) * positions + to;
    capacities[(layer * positions + from) * nodes + target] = weight;
  }
  return Array.from(toLogits, (_, token) => maxFlow({ nodes, capacities }, token, sink));
}

function listEdges(layers: readonly Float64Array[], toLogits: Float64Array): readonly FlowEdge[] {
  const positions = toLogits.length;
  const between = layers.flatMap((weights, layer) =>
    Array.from(weights, (weight, at) => {
      const to = Math.floor(at / positions);
      return { layer, from: at % positions, to, weight };
    }),
  );
  const last = Array.from(toLogits, (weight, from) => ({
    ...{ layer: layers.length, from, to: 0, weight },
  }));
  return [...between, ...last].filter(({ weight }) => weight > 0);
}
