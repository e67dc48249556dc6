/**
 * Feature visualization: the inputs that a neuron answers most strongly, found by gradient ascent in embedding
 * space (Erhan et al. 2009; for tokens, points between their embeddings as in Poerner et al. 2018). Each free
 * position is a mixture of embeddings, softmax(θ / temperature) · W_E; θ ascends by Adam while the temperature
 * falls, and ends at tokens.
 */
import { InputError, type Params, type Rng, rng, type Site } from '@grok/core';
import { createRowPrograms, reader, valueAndGrads } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import type { HookedModel } from './hooked-model.js';
import {
  backpropagate,
  climb,
  createState,
  embed,
  mix,
  type Points,
  type Search,
  snap,
  softmaxRows,
} from './mixtures.js';
import { findSite, getActName, selectionMask } from './sites.js';

/** A neuron, and where to search. */
export interface AscentOptions {
  readonly layer: number;
  readonly neuron: number;
  /** The position whose activation ascends, default the last. */
  readonly position?: number;
  /** A row of tokens: those at `free` are replaced, the others stay. */
  readonly row: ArrayLike<number>;
  /** Positions whose tokens are searched. */
  readonly free: readonly number[];
  /** Tokens that may stand there, such as the residues; default: all. */
  readonly tokens?: readonly number[];
  /** Default 64. */
  readonly starts?: number;
  /** Default 120. */
  readonly steps?: number;
  /** Default 0. */
  readonly seed?: number;
}
/** Tokens that a start came to. */
export interface FoundInput {
  readonly tokens: readonly number[];
  /** The neuron's activation on them. */
  readonly activation: number;
  /** The activation at the point in embedding space that became them. */
  readonly relaxed: number;
}
/** What ascent found. */
export interface Ascent {
  /** Different inputs, the strongest first. */
  readonly found: readonly FoundInput[];
  /** What chance would show: the largest activation of as many random inputs as there are starts, on average. */
  readonly chance: number;
}

/** From broad mixtures to all but single tokens. */
const TEMPERATURES = [1, 0.05] as const;
const CHANCE_DRAWS = 20;

/** The inputs that a neuron answers most strongly. @throws InputError on a model without embedded tokens, and on indices that there are not. */
export async function ascendNeuron(model: HookedModel, options: AscentOptions): Promise<Ascent> {
  const { starts = 64, steps = 120, seed = 0 } = options;
  const search = prepare(model, options);
  const random = rng(seed).split('ascent');
  const state = createState(starts * search.size, random);
  const programs = createProgram(model, search);
  try {
    for (let step = 0; step < steps; step++) {
      const [warm, cold] = TEMPERATURES;
      const temperature = warm * (cold / warm) ** (step / Math.max(1, steps - 1));
      const shares = softmaxRows(state.logits, search.tokens.length, temperature);
      const { gradient } = await programs.run(mix(search, shares, starts));
      climb(state, backpropagate(search, shares, gradient, temperature), step + 1);
    }
    const shares = softmaxRows(state.logits, search.tokens.length, TEMPERATURES[1]);
    const { activations: relaxed } = await programs.run(mix(search, shares, starts));
    const chosen = snap(search, shares, starts);
    const { activations } = await programs.run(embed(search, chosen));
    return {
      found: rank(chosen, activations, relaxed),
      chance: await measureChance(programs, search, starts, random),
    };
  } finally {
    programs.dispose();
  }
}

function prepare(model: HookedModel, options: AscentOptions): Search {
  const { layer, neuron, position = -1, free } = options;
  const neurons = findSite(model.sites, getActName('post', layer));
  const mask = selectionMask(neurons, { site: neurons.name, neuron, position });
  const site = model.sites.find(({ table }) => table !== undefined);
  const embedding = site?.table === undefined ? undefined : model.params[site.table];
  if (site === undefined || embedding === undefined)
    throw new InputError('ascent: needs a model that embeds tokens from a table');
  const has = (name: string): boolean =>
    model.sites.some((other) => other.name === getActName(name, layer));
  const [positions = 0] = site.shape;
  const [vocabulary = 0, width = 0] = embedding.shape;
  const row = Array.from(options.row);
  const tokens = options.tokens ?? [...new Array(vocabulary).keys()];
  checkIndices('token', [...row, ...tokens], vocabulary);
  checkIndices('free position', free, positions);
  if (row.length !== positions || free.length === 0 || tokens.length === 0)
    throw new InputError(
      `ascent: needs a row of ${positions} tokens, free positions and tokens, got ${row.length}, ${free.length} and ${tokens.length}`,
    );
  return {
    ...{ embedding, site: site.name, width, row, free, tokens, neurons: neurons.name },
    climbed: has('pre') && !has('pre_linear') ? getActName('pre', layer) : neurons.name,
    size: free.length * tokens.length,
    mask: { data: mask, shape: [1, ...neurons.shape], dtype: 'float32' },
  };
}

function checkIndices(what: string, indices: readonly number[], count: number): void {
  const bad = indices.find((index) => !Number.isInteger(index) || index < 0 || index >= count);
  if (bad !== undefined)
    throw new InputError(`ascent: a ${what} must be an integer from 0 to ${count - 1}, got ${bad}`);
}

interface AscentInputs {
  readonly params: Params;
  readonly inputs: tf.Tensor;
  readonly point: tf.Tensor;
}
/** Activations of the neuron at points, and their gradients. */
function createProgram({ backend, model, params }: HookedModel, search: Search) {
  const programs = createRowPrograms<AscentInputs>(backend, 'interp-ascent', (given) => {
    const { mask: _, ...own } = given.params;
    const { aux, grads } = valueAndGrads(
      (changing) => {
        const found = model.apply(reader('parameter', own), given.inputs, {
          sites: new Set([search.neurons, search.climbed]),
          taps: { [search.site]: () => reader('input', changing)('point') },
        });
        const select = (site: Site): tf.Tensor => {
          const value = reader('site', found)(site);
          const selected = tf.mul(value, reader('input', given.params)('mask'));
          return tf.sum(tf.reshape(selected, [value.shape[0] ?? 0, -1]), 1);
        };
        const loss: tf.Scalar = tf.sum(select(search.climbed));
        return { loss, aux: { activations: select(search.neurons) } };
      },
      { point: given.point },
    );
    return { ...aux, gradient: reader('gradient', grads)('point') };
  });
  return {
    dispose: programs.dispose,
    async run(data: Points) {
      const rows = Int32Array.from({ length: data.point.shape[0] ?? 0 }, (_, i) => i);
      const input = { params: { ...params, mask: search.mask }, data, rows, most: rows.length };
      for await (const { values } of programs.run(input)) {
        const read = reader('output', values);
        return { activations: read('activations').data, gradient: read('gradient').data };
      }
      return { activations: new Float32Array(), gradient: new Float32Array() };
    },
  };
}

/** Different inputs with the best of their starts, the strongest first. */
function rank(
  rows: readonly (readonly number[])[],
  activations: ArrayLike<number>,
  relaxed: ArrayLike<number>,
): readonly FoundInput[] {
  const found = new Map<string, FoundInput>();
  for (const [i, tokens] of rows.entries()) {
    const known = found.get(tokens.join());
    const best = Math.max(relaxed[i] ?? 0, known?.relaxed ?? Number.NEGATIVE_INFINITY);
    found.set(tokens.join(), { tokens, activation: activations[i] ?? 0, relaxed: best });
  }
  return [...found.values()].sort((a, b) => b.activation - a.activation);
}

/** Mean over draws of the largest activation of as many random inputs as there are starts. */
async function measureChance(
  programs: ReturnType<typeof createProgram>,
  search: Search,
  starts: number,
  random: Rng,
): Promise<number> {
  let sum = 0;
  for (let draw = 0; draw < CHANCE_DRAWS; draw++) {
    const uniform = random.split(`chance-${draw}`).uniform(starts * search.free.length);
    const rows = Array.from({ length: starts }, (_, start) => {
      const out = [...search.row];
      for (const [f, position] of search.free.entries()) {
        const u = uniform[start * search.free.length + f] ?? 0;
        out[position] = search.tokens[Math.floor(u * search.tokens.length)] ?? 0;
      }
      return out;
    });
    const { activations } = await programs.run(embed(search, rows));
    sum += Math.max(...activations) / CHANCE_DRAWS;
  }
  return sum;
}
