import { type Params, rng } from '@grok/core';
import { reader, valueAndGrads } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useFloat64 } from './float64.js';
import {
  build,
  createMasks,
  crossEntropy,
  defaults,
  distance,
  randomMasks,
  randomParams,
  randomRows,
  readSites,
  title,
  toTensors,
  toWeights,
  variants,
} from './helpers.js';
import * as float64 from './reference.js';

useFloat64();

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const ROWS = 5;
const { tokens, labels } = randomRows(ROWS);
const inputs = (): tf.Tensor => tf.tensor2d(tokens, undefined, 'int32');

describe.each(variants.map((v) => [title(v), v] as const))('%s', (_, variant) => {
  const model = build(variant);
  const params = randomParams(model);
  const weights = toWeights(params);
  const sizes = { ...defaults, ...variant };
  const masks = randomMasks(model, ROWS);
  const shapes = model.dropoutMaskShapes(ROWS);
  const reference = (): Record<string, number[]>[] =>
    tokens.map((row, r) =>
      float64.rowSites(
        sizes,
        weights,
        row,
        variant.dropout
          ? (mask, position, i) => {
              const [, pos, width] = shapes[mask] as [number, number, number];
              return masks[mask]![(r * pos + position) * width + i] === 1;
            }
          : undefined,
      ),
    );

  it('matches float64 at every site', () => {
    // Catches: any error in any option, located by site; a shape that differs from `sites()`.
    const sites = new Set(model.sites().map(({ name }) => name));
    const options = { sites, ...createMasks(model, ROWS) };
    const got = model.apply(reader('parameter', toTensors(params)), inputs(), options);
    const wanted = reference().map((row) => reader('site', row));
    const off = model.sites().filter(({ name, shape }) => {
      const value = reader('site', got)(name);
      expect([name, ...value.shape]).toEqual([name, ROWS, ...shape]);
      const flat = wanted.flatMap((read) => read(name));
      return distance(value.dataSync(), flat) > 1e-12;
    });
    expect(model.shape).toEqual({ layers: sizes.depth, width: sizes.dim, heads: sizes.heads });
    expect(Object.keys(got).sort()).toEqual([...sites].sort());
    expect(off).toEqual([]);
  });

  it('matches float64 finite differences in its gradients', () => {
    // Catches: a wrong custom gradient; a parameter that the loss does not reach.
    const { grads } = valueAndGrads((values: Params) => {
      const read = readSites(model, values, inputs(), ['logits'], createMasks(model, ROWS));
      return { loss: crossEntropy(read('logits'), labels), aux: {} };
    }, toTensors(params));
    const loss = (): number =>
      float64.crossEntropy(
        reference().map((row) => reader('site', row)('logits')),
        labels,
      );
    const off = Object.entries(weights).filter(([name, { data }]) => {
      const got = reader('gradient', grads)(name).dataSync();
      const direction = rng(7).split(name).normal(data.length);
      const along = Array.from(got).reduce((sum, g, i) => sum + g * direction[i]!, 0);
      return distance([along], [float64.slope(loss, data, direction)]) > 1e-7;
    });
    expect(off.map(([name]) => name)).toEqual([]);
  });

  it('matches finite differences of gradients in its second derivatives', () => {
    // Catches: an operation that tfjs can only differentiate once, which affects losses that use
    // gradients.
    const names = Object.keys(params);
    const directions = names.map((name) => {
      const { data, shape } = params[name]!;
      return tf.tensor(rng(8).split(name).normal(data.length), [...shape]);
    });
    const energy = (...values: tf.Tensor[]): tf.Scalar => {
      const named = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
      const logits = readSites(
        model,
        named,
        inputs(),
        ['logits'],
        createMasks(model, ROWS),
      )('logits');
      return tf.mean(tf.mul(logits, tf.square(logits)));
    };
    const along = (grads: tf.Tensor[]): tf.Tensor =>
      grads.map((g, i) => tf.sum(tf.mul(g, directions[i]!))).reduce((a, b) => tf.add(a, b));
    const slope = (...values: tf.Tensor[]): tf.Tensor => along(tf.grads(energy)(values));
    const start = Object.values(toTensors(params));
    const at = (h: number): number =>
      slope(...start.map((value, i) => tf.add(value, tf.mul(directions[i]!, h)))).dataSync()[0]!;
    const h = 1e-4;
    const wanted = (8 * (at(h) - at(-h)) - at(2 * h) + at(-2 * h)) / (12 * h);
    expect(distance(along(tf.grads(slope)(start)).dataSync(), [wanted])).toBeLessThan(1e-5);
  });

  it('leaks nothing', () => {
    // Catches: constants created outside the caller's scope.
    const values = toTensors(params);
    const batch = inputs();
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      model.apply(reader('parameter', values), batch, { sites: new Set(['logits']) });
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});
