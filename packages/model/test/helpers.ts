/** Small models with random but reproducible parameters and inputs. */
import { type HostParams, type Model, type Params, rng } from '@grok/core';
import { reader } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { type TransformerOptions, transformer } from '../src/index.js';
import type { Sizes, Weights } from './reference.js';

export const VOCABULARY = 7;
export const LENGTH = 4;

export const defaults: Sizes = {
  dim: 8,
  depth: 2,
  heads: 1,
  mlp: 'swiglu',
  norm: 'rms',
  positions: 'rope',
  causal: true,
  pool: 'cls',
  dropout: 0,
  ropeBase: 100,
  eps: 1e-3,
};

/** Covers every choice of every option, and combines heads and depth with the options that they might affect. */
export const variants: readonly Partial<Sizes>[] = [
  {},
  { heads: 2, pool: 'mean' },
  { heads: 4, causal: false, depth: 1 },
  { mlp: 'relu', norm: 'none', positions: 'learned', depth: 1, heads: 4 },
  { mlp: 'gelu', norm: 'layer', positions: 'none', depth: 3 },
  { norm: 'layer', positions: 'learned', heads: 2, causal: false, pool: 'mean' },
  { dropout: 0.25 },
  { dropout: 0.5, heads: 2, mlp: 'gelu', norm: 'layer', positions: 'learned' },
];
export const title = (variant: Partial<Sizes>): string => JSON.stringify(variant);

export function build(variant: Partial<Sizes>, more: TransformerOptions = {}): Model {
  return transformer({ ...defaults, dMlp: 12, ...variant, ...more })({
    vocabulary: VOCABULARY,
    inputs: { shape: [100, LENGTH], dtype: 'int32' },
  });
}

/** Random parameters of size 0.3 around their initial values, so that no scale is 1 and no shift 0. */
export function randomParams(model: Model, seed = 1): HostParams {
  const stream = rng(seed);
  return Object.fromEntries(
    Object.entries(model.init(stream)).map(([name, { data, shape, dtype }]) => {
      const noise = stream.split(`noise ${name}`).normal(data.length);
      return [
        name,
        { shape, dtype, data: Float32Array.from(data, (v, i) => v + 0.3 * (noise[i] ?? 0)) },
      ];
    }),
  );
}
export const toTensors = (params: HostParams): Params =>
  Object.fromEntries(
    Object.entries(params).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]),
  );
export const toWeights = (params: HostParams): Weights =>
  Object.fromEntries(
    Object.entries(params).map(([name, { data, shape }]) => [
      name,
      { shape, data: Float64Array.from(data) },
    ]),
  );

/** Random tokens `[rows][pos]` and labels. */
export function randomRows(rows: number, seed = 2): { tokens: number[][]; labels: number[] } {
  const words = rng(seed).words(rows * (LENGTH + 1));
  const token = (i: number): number => (words[i] ?? 0) % VOCABULARY;
  return {
    tokens: Array.from({ length: rows }, (_, r) =>
      Array.from({ length: LENGTH }, (_, i) => token(r * LENGTH + i)),
    ),
    labels: Array.from({ length: rows }, (_, r) => token(rows * LENGTH + r)),
  };
}

/** Random masks of a model, as host bytes. */
export function randomMasks(model: Model, rows: number): Record<string, Uint8Array> {
  return Object.fromEntries(
    Object.entries(model.dropoutMaskShapes(rows)).map(([name, shape]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [name, rng(3).split(name).bernoulli(size, model.keepProbability)];
    }),
  );
}
/** Masks as tensors, in the form that `apply` takes; empty for a model without dropout. */
export function createMasks(model: Model, rows: number): { masks?: Params } {
  const shapes = model.dropoutMaskShapes(rows);
  const masks = Object.entries(randomMasks(model, rows)).map(([name, data]) => [
    name,
    tf.tensor(data, [...shapes[name]!], 'bool'),
  ]);
  return masks.length > 0 ? { masks: Object.fromEntries(masks) } : {};
}

/** The values at sites of a model, by name. */
export function readSites(
  model: Model,
  params: Params,
  inputs: tf.Tensor,
  sites: Iterable<string>,
  more: object = {},
): (site: string) => tf.Tensor {
  const options = { sites: new Set(sites), ...more };
  return reader('site', model.apply(reader('parameter', params), inputs, options));
}

/** Mean cross-entropy of logits `[batch, d_vocab]`. */
export function crossEntropy(logits: tf.Tensor, labels: readonly number[]): tf.Scalar {
  const hot = tf.oneHot(tf.tensor1d([...labels], 'int32'), logits.shape[1] ?? 0);
  return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), hot), -1)));
}

/** Largest |got − wanted| / (1 + |wanted|). */
export function distance(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    const off = Math.abs(got[i]! - wanted[i]!) / (1 + Math.abs(wanted[i]!));
    if (!(off <= worst)) worst = off;
  }
  return worst;
}

/** Floating-point operations of the matrix products that `f` runs. */
export function matMulFlops(f: () => void): number {
  let flops = 0;
  const engine = tf.engine() as unknown as {
    runKernel: (name: string, inputs: Record<string, tf.Tensor>, attrs?: unknown) => unknown;
  };
  const original = engine.runKernel;
  engine.runKernel = function (name, inputs, attrs) {
    const out = original.call(this, name, inputs, attrs);
    const { transposeA } = (attrs ?? {}) as { transposeA?: boolean };
    if (name === 'BatchMatMul')
      flops += 2 * (out as tf.Tensor).size * inputs.a!.shape.at(transposeA ? -2 : -1)!;
    return out;
  };
  tf.tidy(f);
  engine.runKernel = original;
  return flops;
}
