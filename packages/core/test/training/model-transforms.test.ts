/** Transforms of parameters and sites, on a model of two matrix products. */
import '@tensorflow/tfjs-backend-cpu';
import { type HostParams, type Model, transformModel } from '@grok/core';
import { applyTransforms, pruneMagnitude } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const initial: HostParams = {
  E: { shape: [2, 2], dtype: 'float32', data: Float32Array.of(1, -2, 3, -4) },
  b: { shape: [2], dtype: 'float32', data: Float32Array.of(1, 1) },
};
/** `hidden` = rows of E, `logits` = hidden · E + b, reading E twice. */
const model: Model = {
  shape: { layers: 1, width: 2, heads: 1 },
  keepProbability: 1,
  init: () => initial,
  dropoutMaskShapes: () => ({}),
  sites: () => [
    { name: 'hidden', shape: [2], axes: ['d_model'], table: 'E' },
    { name: 'logits', shape: [2], axes: ['d_vocab'] },
  ],
  apply(params, inputs, { taps = {} }) {
    const through = (site: string, x: tf.Tensor): tf.Tensor => taps[site]?.(x) ?? x;
    const hidden = through('hidden', tf.gather(params('E'), tf.cast(inputs, 'int32'))); // [batch, 2]
    const logits = tf.add(
      tf.matMul(hidden as tf.Tensor2D, params('E') as tf.Tensor2D),
      params('b'),
    );
    return { hidden, logits: through('logits', logits) };
  },
};
const read = (name: string): tf.Tensor => {
  const array = initial[name];
  if (array === undefined) throw new Error(`no parameter "${name}"`);
  return tf.tensor(array.data, [...array.shape]);
};
const values = (of: Model, taps?: Parameters<Model['apply']>[2]['taps']) => {
  const sites = new Set(['hidden', 'logits']);
  const rows = tf.tensor1d([0, 1], 'int32');
  const { hidden, logits } = of.apply(read, rows, taps === undefined ? { sites } : { sites, taps });
  return { hidden: [...(hidden?.dataSync() ?? [])], logits: [...(logits?.dataSync() ?? [])] };
};

describe('a transformed model', () => {
  it('reads each parameter through a function, once', () => {
    // Catches: a name that is not passed on; fake quantization computed at every read.
    const requested: string[] = [];
    const params = (name: string, value: tf.Tensor): tf.Tensor => {
      requested.push(name);
      return name === 'E' ? tf.mul(value, 2) : value;
    };
    const { hidden, logits } = values(transformModel(model, { params }));
    expect(hidden).toEqual([2, -4, 6, -8]);
    expect(logits).toEqual([-19, 25, -35, 41]);
    expect(requested).toEqual(['E', 'b']);
  });
  it('applies its own taps before those of the caller', () => {
    // Catches: a patch that is quantized again; taps of one side lost.
    const add = (x: tf.Tensor): tf.Tensor => tf.add(x, 1);
    const double = (x: tf.Tensor): tf.Tensor => tf.mul(x, 2);
    const tapped = transformModel(model, { taps: { hidden: add, logits: add } });
    expect(values(tapped).hidden).toEqual([2, -1, 4, -3]);
    expect(values(tapped, { hidden: double }).hidden).toEqual([4, -2, 8, -6]);
    const plain = values(model, { hidden: (x) => double(add(x)) });
    expect(values(tapped, { hidden: double }).logits).toEqual(plain.logits.map((x) => x + 1));
  });
  it('removes `table` from transformed sites', () => {
    // Catches: a term that compares the raw parameter instead of what the model computes.
    const tables = (of: Model) => of.sites().flatMap(({ table = [] }) => table);
    expect(tables(transformModel(model, { params: (_, x) => x }))).toEqual([]);
    expect(tables(transformModel(model, { taps: { hidden: (x) => x } }))).toEqual([]);
    expect(tables(transformModel(model, { taps: { logits: (x) => x } }))).toEqual(['E']);
  });
  it('passes parameters through a list of transforms in order', () => {
    // Catches: a mask applied before rounding instead of after it.
    const through = (f: (x: tf.Tensor) => tf.Tensor) => (inner: Model) =>
      transformModel(inner, { params: (name, x) => (name === 'E' ? f(x) : x) });
    const list = [through((x) => tf.add(x, 1)), through((x) => tf.mul(x, 10))];
    expect(values(applyTransforms(model, list, () => initial)).hidden).toEqual([20, -10, 40, -30]);
  });
});

describe('prune-magnitude', () => {
  it('keeps the largest initial weights of a matrix, and all vectors', () => {
    // Catches: a mask by signed value instead of magnitude; a pruned bias.
    const pruned = pruneMagnitude({ fraction: 0.5 })(model, { initial: () => initial });
    expect(values(pruned).hidden).toEqual([0, -0, 3, -4]);
    expect(values(pruned).logits).toEqual([1, 1, -11, 17]);
  });
  it('refuses a pattern that matches no matrix', () => {
    // Catches: a "pruned" model in which nothing was pruned.
    const prune = (match: string) => () =>
      pruneMagnitude({ match })(model, { initial: () => initial });
    expect(prune('b')).toThrow('its pattern must match at least one matrix, got "b"');
    expect(prune('c')).toThrow('unknown parameter to prune "c"');
  });
});
