import { rng } from '@grok/core';
import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  gelu,
  layerNorm,
  rmsNorm,
  rotate,
  rotation,
  sigmoid,
  softmax,
  swiglu,
} from '../src/ops.js';
import { useFloat64 } from './float64.js';
import { distance } from './helpers.js';

useFloat64();

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;
type Shape = readonly number[];
/** An operation and the shapes of its inputs. */
const entry = <Shapes extends readonly Shape[]>(
  name: string,
  op: (...inputs: { [K in keyof Shapes]: tf.Tensor }) => tf.Tensor,
  ...shapes: Shapes
): readonly [string, Op, readonly Shape[]] => [name, op as Op, shapes];
const turn = rotation([1, 2, 3], 4, 50);
const mask = [1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 0];
const ops = [
  entry('rmsNorm', (x, w) => rmsNorm(x, w, 1e-3), [3, 4], [4]),
  entry('layerNorm', (x, w, b) => layerNorm(x, w, b, 1e-3), [3, 4], [4], [4]),
  entry('swiglu', (u, v) => swiglu(u, v), [3, 4], [3, 4]),
  entry('swiglu, masked', (u, v) => swiglu(u, v, tf.tensor2d(mask, [3, 4])), [3, 4], [3, 4]),
  entry('sigmoid', (x) => sigmoid(x), [3, 4]),
  entry('softmax', (x) => softmax(x), [2, 3, 4]),
  entry('gelu', (x) => gelu(x), [3, 4]),
  entry('rotate', (x) => rotate(x, turn), [2, 3, 2, 4]),
];
const random = (shape: readonly number[], label: string | number): tf.Tensor =>
  tf.tensor(
    rng(5)
      .split(label)
      .normal(shape.reduce((a, b) => a * b, 1)),
    [...shape],
  );

describe.each(ops)('%s', (_, op, shapes) => {
  const values = (): tf.Tensor[] => shapes.map((shape, i) => random(shape, i));
  /** A scalar whose gradient with respect to the output is not constant, so that second derivatives mix. */
  const scalar = (...inputs: tf.Tensor[]): tf.Scalar => {
    const y = op(...inputs);
    return tf.sum(tf.mul(tf.mul(y, tf.square(y)), random(y.shape, 'weights')));
  };
  /** Directional derivative of `f` over all inputs, by central differences. */
  const difference = (f: (...x: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]): number => {
    const at = (h: number): number => {
      const moved = inputs.map((x, i) => tf.add(x, tf.mul(random(x.shape, `to ${i}`), h)));
      return f(...moved).dataSync()[0]!;
    };
    const h = 1e-3;
    return (8 * (at(h) - at(-h)) - at(2 * h) + at(-2 * h)) / (12 * h);
  };
  const along = (grads: tf.Tensor[], label: string): tf.Scalar =>
    grads
      .map((g, i) => tf.sum(tf.mul(g, random(g.shape, `${label} ${i}`))))
      .reduce((a, b) => tf.add(a, b) as tf.Scalar) as tf.Scalar;

  it('matches finite differences', () => {
    // Catches: a wrong derivative of any input.
    const got = along(tf.grads(scalar)(values()), 'to').dataSync();
    expect(distance(got, [difference(scalar, values())])).toBeLessThan(1e-7);
  });

  it('matches finite differences of second order', () => {
    // Catches: intermediates or outputs saved for the gradient, which tfjs leaves off the tape.
    const slope = (...inputs: tf.Tensor[]): tf.Tensor => along(tf.grads(scalar)(inputs), 'v');
    const got = along(tf.grads(slope)(values()), 'to').dataSync();
    expect(distance(got, [difference(slope, values())])).toBeLessThan(1e-6);
  });

  it('matches finite differences of third order', () => {
    // Catches: a gradient written with operations that tfjs can only differentiate once.
    const slope = (...inputs: tf.Tensor[]): tf.Tensor => along(tf.grads(scalar)(inputs), 'v');
    const bend = (...inputs: tf.Tensor[]): tf.Tensor => along(tf.grads(slope)(inputs), 'u');
    const got = along(tf.grads(bend)(values()), 'to').dataSync();
    expect(distance(got, [difference(bend, values())])).toBeLessThan(1e-5);
  });
});

describe('rotate', () => {
  it('preserves lengths, and dot products depend only on distance', () => {
    // Catches: interleaved pairs of one convention with the angles of another; a wrong sign.
    const x = random([1, 1, 1, 6], 'x');
    const y = random([1, 1, 1, 6], 'y');
    const at = (v: tf.Tensor, position: number): tf.Tensor => rotate(v, rotation([position], 6, 9));
    const dot = (a: tf.Tensor, b: tf.Tensor): number => tf.sum(tf.mul(a, b)).dataSync()[0]!;
    expect(dot(at(x, 5), at(x, 5))).toBeCloseTo(dot(x, x), 12);
    expect(dot(at(x, 5), at(y, 3))).toBeCloseTo(dot(at(x, 2), y), 12);
    expect(at(x, 0).dataSync()).toEqual(x.dataSync());
  });
});
