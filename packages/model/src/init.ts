/**
 * Names, shapes and initial values of the parameters, in the order of their hash. Linear weights are
 * LeCun normal (LeCun et al. 1998; truncated at ±2σ and rescaled, as Flax does), the embedding is
 * normal with σ = 1/√d_model, norm scales are 1. Every parameter draws from a stream of its own name.
 */
import { type HostArray, type HostParams, type Rng, sizeOf } from '@grok/core';
import type { Config } from './options.js';

/** Standard deviation of a standard normal cut at ±2. */
const CUT = 0.87962566103423978;

type Initialiser = 'linear' | 'embedding' | 'ones' | 'zeros';

/** Name, shape and initialiser of every parameter, in order. */
function parameters(c: Config): readonly [string, readonly number[], Initialiser][] {
  const norm = (name: string): [string, readonly number[], Initialiser][] => {
    if (c.norm === 'none') return [];
    const scale: [string, readonly number[], Initialiser] = [`${name}.w`, [c.dim], 'ones'];
    return c.norm === 'rms' ? [scale] : [scale, [`${name}.b`, [c.dim], 'zeros']];
  };
  const linear = (name: string, from: number, to: number) =>
    [name, [from, to], 'linear'] as [string, readonly number[], Initialiser];
  const blocks = Array.from({ length: c.depth }, (_, l) => [
    ...norm(`blocks.${l}.ln1`),
    ...['W_Q', 'W_K', 'W_V', 'W_O'].map((w) => linear(`blocks.${l}.attn.${w}`, c.dim, c.dim)),
    ...norm(`blocks.${l}.ln2`),
    ...(c.mlp === 'swiglu' ? ['W_gate', 'W_in'] : ['W_in']).map((w) =>
      linear(`blocks.${l}.mlp.${w}`, c.dim, c.dMlp),
    ),
    linear(`blocks.${l}.mlp.W_out`, c.dMlp, c.dim),
  ]);
  return [
    c.features === undefined
      ? ['embed.W_E', [c.vocabulary, c.dim], 'embedding']
      : linear('embed.W_E', c.features, c.dim),
    ...(c.positions === 'learned'
      ? [['pos_embed.W_pos', [c.length, c.dim], 'embedding'] as [string, number[], Initialiser]]
      : []),
    ...blocks.flat(),
    ...norm('ln_final'),
    linear('unembed.W_U', c.dim, c.vocabulary),
  ];
}

/** Draws all parameters. */
export function initialise(c: Config, rng: Rng): HostParams {
  return Object.fromEntries(
    parameters(c).map(([name, shape, how]) => [name, draw(shape, how, rng.split(name))]),
  );
}

function draw(shape: readonly number[], how: Initialiser, rng: Rng): HostArray {
  const size = sizeOf(shape);
  const scaled = (values: Float32Array, by: number): Float32Array => values.map((z) => z * by);
  const data =
    how === 'linear'
      ? scaled(rng.truncatedNormal(size), Math.sqrt(1 / shape[0]!) / CUT)
      : how === 'embedding'
        ? scaled(rng.normal(size), 1 / Math.sqrt(shape.at(-1)!))
        : new Float32Array(size).fill(how === 'ones' ? 1 : 0);
  return { data, shape, dtype: 'float32' };
}
