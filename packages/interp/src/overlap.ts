/**
 * Two circuits beside each other: components matched first (heads and MLPs by place, neurons by optimal
 * assignment on the correlation of their activations), then their overlap with a null of circuits of the
 * same size: memberships, and effects, permuted among the components of a layer and kind.
 */
import { type HostArray, InputError, type Rng, rng } from '@grok/core';
import {
  assign,
  createRowPrograms,
  EVAL_ROWS,
  pearson,
  ranks,
  reader,
  takeRows,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { Matrix } from 'ml-matrix';
import type { Circuit, ScoredComponent } from './circuits.js';
import { groupComponents, readGroup } from './components.js';
import type { HookedModel } from './hooked-model.js';
import { getActName } from './sites.js';

/** A neuron of one model and its partner in another. */
export interface NeuronMatch {
  readonly a: number;
  readonly b: number;
  /** Pearson correlation of their activations over all rows at the last position. */
  readonly correlation: number;
  /** What chance would show: with `chance`, the layer's mean |correlation| of neurons matched after the rows of b were permuted. */
  readonly chance?: number;
  /** What `label` says of both. */
  readonly labels?: { readonly a: number; readonly b: number };
}
/** What to say of matched neurons. */
export interface MatchOptions {
  /** One number a neuron, such as its key frequency, from its activations at the last position, `[rows, d_mlp]`, of mean 0 and norm 1. */
  readonly label?: (activations: HostArray) => readonly number[];
  /** Matches each layer a second time, with permuted rows; default false. */
  readonly chance?: boolean;
}

/**
 * Matches the neurons of two models layer by layer, maximizing the sum of absolute correlations over the rows
 * (a gated neuron and its negative differ only in the signs of two weights). Neurons of a wider model may stay
 * unmatched.
 * @throws InputError if the models have different inputs.
 */
export async function matchNeurons(
  a: HookedModel,
  b: HookedModel,
  inputs: HostArray,
  options: MatchOptions = {},
): Promise<readonly (readonly NeuronMatch[])[]> {
  const layers = Math.min(a.model.shape.layers, b.model.shape.layers);
  const matches: (readonly NeuronMatch[])[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const [x, y] = [await standardized(a, layer, inputs), await standardized(b, layer, inputs)];
    const found = await matchLayer(a, [x, y], options);
    const chance = options.chance === true ? await matchByChance(a, [x, y]) : undefined;
    matches.push(chance === undefined ? found : found.map((match) => ({ ...match, chance })));
  }
  return matches;
}

/** Mean |correlation| of the best matches of neurons whose rows have nothing to do with each other. */
async function matchByChance(
  model: HookedModel,
  [x, y]: readonly [HostArray, HostArray],
): Promise<number> {
  const order = rng(0)
    .split('match')
    .permutation(y.shape[0] ?? 0);
  const found = await matchLayer(model, [x, takeRows(y, order)], {});
  return found.reduce((sum, { correlation }) => sum + Math.abs(correlation), 0) / found.length;
}

async function matchLayer(
  model: HookedModel,
  [x, y]: readonly [HostArray, HostArray],
  { label }: MatchOptions,
): Promise<readonly NeuronMatch[]> {
  const correlations = await multiply(model, x, y);
  const labels = label && ([label(x), label(y)] as const);
  // Rows are the narrower model's neurons: each of them finds a partner.
  const isWide = correlations.rows > correlations.columns;
  const narrow = isWide ? correlations.transpose() : correlations;
  const partners = assign(Matrix.mul(Matrix.abs(narrow), -1).to2DArray());
  return Array.from(partners, (partner, neuron) => {
    const [a, b] = isWide ? [partner, neuron] : [neuron, partner];
    return {
      ...{ a, b, correlation: correlations.get(a, b) },
      ...(labels && { labels: { a: labels[0][a] ?? Number.NaN, b: labels[1][b] ?? Number.NaN } }),
    };
  }).sort((x, y) => x.a - y.a);
}

/** Activations at the last position, each neuron with mean 0 and norm 1 (0 where it is constant): `[rows, d_mlp]`. */
async function standardized(
  model: HookedModel,
  layer: number,
  inputs: HostArray,
): Promise<HostArray> {
  const site = getActName('post', layer);
  const { data, shape } = reader('site', (await model.runWithCache(inputs, [site])).cache)(site);
  const [rows = 0, positions = 1, width = 0] = shape;
  const out = new Float32Array(rows * width);
  for (let neuron = 0; neuron < width; neuron++) {
    const value = (row: number): number =>
      data[(row * positions + positions - 1) * width + neuron] ?? 0;
    let [mean, square] = [0, 0];
    for (let row = 0; row < rows; row++) mean += value(row) / rows;
    for (let row = 0; row < rows; row++) square += (value(row) - mean) ** 2;
    const isConstant = square <= rows * (1e-6 * mean) ** 2;
    for (let row = 0; row < rows; row++)
      out[row * width + neuron] = isConstant ? 0 : (value(row) - mean) / Math.sqrt(square);
  }
  return { data: out, shape: [rows, width], dtype: 'float32' };
}

/** `xᵀ y`, rows summed part by part on the backend. */
async function multiply({ backend }: HookedModel, x: HostArray, y: HostArray): Promise<Matrix> {
  const programs = createRowPrograms<{
    readonly params: Record<string, never>;
    readonly x: tf.Tensor2D;
    readonly y: tf.Tensor2D;
  }>(backend, 'interp-correlate', (given) => ({ product: tf.matMul(given.x, given.y, true) }));
  const [rows = 0, width = 0] = x.shape;
  const sum = Matrix.zeros(width, y.shape[1] ?? 0);
  const input = {
    params: {},
    data: { x, y },
    rows: Int32Array.from({ length: rows }, (_, row) => row),
    most: EVAL_ROWS,
  };
  try {
    for await (const { values } of programs.run(input))
      sum.add(Matrix.from1DArray(sum.rows, sum.columns, reader('output', values)('product').data));
  } finally {
    programs.dispose();
  }
  return sum;
}

/** A statistic with its null distribution. */
export interface Tested {
  readonly value: number;
  /** Mean of the null distribution. */
  readonly chance: number;
  /** p-value: share of the null distribution that is at least as large, counting the value itself. */
  readonly p: number;
}
/** Agreement of two circuits. */
export interface CircuitOverlap {
  /** Jaccard index of the members, among components that have a partner. */
  readonly jaccard: Tested;
  /** Spearman correlation of the effects of components that have a partner. */
  readonly rankCorrelation: Tested;
  /** Number of components that have a partner. */
  readonly matched: number;
  /** Number of members without a partner. */
  readonly alone: { readonly a: number; readonly b: number };
}
/** Options of `compareCircuits`. */
export interface OverlapOptions {
  /** Matched neurons of each layer, from `matchNeurons`. */
  readonly neurons?: readonly (readonly NeuronMatch[])[];
  /** Number of samples of the null distribution (default 1,000). */
  readonly draws?: number;
  readonly seed?: number;
}

interface Pair {
  readonly a: ScoredComponent;
  readonly b: ScoredComponent;
}

/**
 * Overlap of two circuits with its null distribution.
 * @throws InputError if no component has a partner, or if neurons were not matched.
 */
export function compareCircuits(
  a: Circuit,
  b: Circuit,
  options: OverlapOptions = {},
): CircuitOverlap {
  const { draws = 1000, seed = 0 } = options;
  const pairs = pairComponents(a, b, options.neurons);
  if (pairs.length === 0)
    throw new InputError(
      'circuits: no component of one has a partner in the other; compare circuits of the same kinds',
    );
  const isMember = ({ members }: Circuit): ((name: string) => boolean) => {
    const names = new Set(members.map(({ name }) => name));
    return (name) => names.has(name);
  };
  const [inA, inB] = [isMember(a), isMember(b)];
  const membersA = pairs.map((pair) => (inA(pair.a.name) ? 1 : 0));
  const membersB = pairs.map((pair) => (inB(pair.b.name) ? 1 : 0));
  // Effects tie where they are the same: those of components that do nothing.
  const rankEffects = (side: keyof Pair): readonly number[] =>
    Array.from(
      ranks(
        pairs.map((pair) => pair[side].effect),
        { tolerance: 0 },
      ),
    );
  const [ranksA, ranksB] = [rankEffects('a'), rankEffects('b')];
  const groups = groupIndices(pairs);
  const test = (name: string, statistic: (order: readonly number[]) => number): Tested =>
    permutationTest(statistic, groups, { draws, random: rng(seed).split(name) });
  const count = (members: readonly number[]): number => members.reduce((sum, is) => sum + is, 0);
  return {
    jaccard: test('members', (order) =>
      jaccard(
        membersA,
        order.map((i) => membersB[i] ?? 0),
      )),
    rankCorrelation: test('effects', (order) =>
      rankCorrelation(
        ranksA,
        order.map((i) => ranksB[i] ?? 0),
      )),
    matched: pairs.length,
    alone: { a: a.members.length - count(membersA), b: b.members.length - count(membersB) },
  };
}

function pairComponents(
  a: Circuit,
  b: Circuit,
  neurons: OverlapOptions['neurons'],
): readonly Pair[] {
  const others = new Map(b.components.map((it) => [`${readGroup(it)} ${it.index}`, it]));
  const partners = neurons?.map((matches) => new Map(matches.map((it) => [it.a, it.b])));
  return a.components.flatMap((it) => {
    if (it.kind === 'neuron' && partners === undefined)
      throw new InputError(
        'circuits: neurons must be matched first; give { neurons: await matchNeurons(…) }',
      );
    const index = it.kind === 'neuron' ? partners?.[it.layer]?.get(it.index) : it.index;
    const other = others.get(`${readGroup(it)} ${index}`);
    return other === undefined ? [] : [{ a: it, b: other }];
  });
}

/** Indices of pairs by the kind and layer of the second. */
function groupIndices(pairs: readonly Pair[]): readonly (readonly number[])[] {
  const at = new Map(pairs.map(({ b }, i) => [b.name, i]));
  return groupComponents(pairs.map(({ b }) => b)).map((members) =>
    members.map(({ name }) => at.get(name) ?? 0),
  );
}

function permutationTest(
  statistic: (order: readonly number[]) => number,
  groups: readonly (readonly number[])[],
  { draws, random }: { readonly draws: number; readonly random: Rng },
): Tested {
  const order = groups.flat().sort((i, j) => i - j);
  const value = statistic(order);
  const uniform = random.uniform(draws * order.length);
  let [sum, atLeast] = [0, 1];
  for (let draw = 0; draw < draws; draw++) {
    const keys = uniform.subarray(draw * order.length, (draw + 1) * order.length);
    const permuted = [...order];
    for (const members of groups) {
      const shuffled = [...members].sort((i, j) => (keys[i] ?? 0) - (keys[j] ?? 0));
      for (const [i, member] of members.entries()) permuted[member] = shuffled[i] ?? member;
    }
    const drawn = statistic(permuted);
    sum += drawn;
    if (drawn >= value - 1e-12) atLeast++;
  }
  return { value, chance: sum / draws, p: atLeast / (draws + 1) };
}

function jaccard(a: readonly number[], b: readonly number[]): number {
  let [both, either] = [0, 0];
  for (const [i, x] of a.entries()) {
    both += x * (b[i] ?? 0);
    either += Math.max(x, b[i] ?? 0);
  }
  return either === 0 ? 0 : both / either;
}

/** 0 where all effects of one are the same: nothing agrees. */
function rankCorrelation(x: readonly number[], y: readonly number[]): number {
  const found = pearson(x, y);
  return Number.isNaN(found) ? 0 : found;
}
