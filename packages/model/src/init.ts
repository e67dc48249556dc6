/**
 * Names, shapes and initial values of the parameters, in the order of their hash. Linear weights
 * are LeCun normal (LeCun et al. 1998; truncated at ±2σ and rescaled, as in Flax), the embedding is
 * normal with σ = 1/√d_model, norm scales are 1. Each parameter draws from a stream of its own
 * name.
 */
import { type HostArray, type HostParams, type Rng, sizeOf } from '@grok/core';
import type { Config } from './options.js';

/** Standard deviation of a standard normal truncated at ±2. */
const CUT = 0.87962566103423978;

type ParamSpec = readonly [name: string, shape: readonly number[], how: Initializer];
type Initializer = 'linear' | 'embedding' | 'ones' | 'zeros';

/** Name, shape and initializer of every parameter, in order. */
function listParams(cfg: Config): readonly ParamSpec[] {
  const norm = (name: string): readonly ParamSpec[] => {
    if (cfg.norm === 'none') return [];
    const scale: ParamSpec = [`${name}.w`, [cfg.dim], 'ones'];
    return cfg.norm === 'rms' ? [scale] : [scale, [`${name}.b`, [cfg.dim], 'zeros']];
  };
  const linear = (name: string, from: number, to: number): ParamSpec => [
    name,
    [from, to],
    'linear',
  ];
  const learned: readonly ParamSpec[] = [['pos_embed.W_pos', [cfg.length, cfg.dim], 'embedding']];
  const blocks = Array.from({ length: cfg.depth }, (_, l) => [
    ...norm(`blocks.${l}.ln1`),
    ...['W_Q', 'W_K', 'W_V', 'W_O'].map((w) => linear(`blocks.${l}.attn.${w}`, cfg.dim, cfg.dim)),
    ...norm(`blocks.${l}.ln2`),
    ...(cfg.mlp === 'swiglu' ? ['W_gate', 'W_in'] : ['W_in']).map((w) =>
      linear(`blocks.${l}.mlp.${w}`, cfg.dim, cfg.dMlp),
    ),
    linear(`blocks.${l}.mlp.W_out`, cfg.dMlp, cfg.dim),
  ]);
  return [
    cfg.features === undefined
      ? ['embed.W_E', [cfg.vocabulary, cfg.dim], 'embedding']
      : linear('embed.W_E', cfg.features, cfg.dim),
    ...(cfg.positions === 'learned' ? learned : []),
    ...blocks.flat(),
    ...norm('ln_final'),
    linear('unembed.W_U', cfg.dim, cfg.vocabulary),
  ];
}

/** Number of parameters, without drawing them. */
export function countParameters(cfg: Config): number {
  return listParams(cfg).reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
}

/** Draws all parameters. */
export function initialize(cfg: Config, rng: Rng): HostParams {
  return Object.fromEntries(
    listParams(cfg).map(([name, shape, how]) => [name, draw(shape, how, rng.split(name))]),
  );
}

function draw(shape: readonly number[], how: Initializer, rng: Rng): HostArray {
  const size = sizeOf(shape);
  const [fanIn = 1, width = 1] = shape;
  const scaled = (values: Float32Array, by: number): Float32Array => values.map((z) => z * by);
  const data =
    how === 'linear'
      ? scaled(rng.truncatedNormal(size), Math.sqrt(1 / fanIn) / CUT)
      : how === 'embedding'
        ? scaled(rng.normal(size), 1 / Math.sqrt(width))
        : new Float32Array(size).fill(how === 'ones' ? 1 : 0);
  return { data, shape, dtype: 'float32' };
}
