import '@tensorflow/tfjs-backend-cpu';
import type { Optimizer, OptimizerState, Params } from '@grok/core';
import * as tf from '@grok/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adamw, addDecayedWeights, chain, scaleByAdam, scaleByLearningRate } from '../src/index.js';
import { adamwReference } from './reference.js';

beforeAll(() => tf.setBackend('cpu'));
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

/** Gradients of many sizes, with some exact zeros and changing signs. */
const gradient = (size: number, step: number): number[] =>
  Array.from({ length: size }, (_, i) =>
    i % 7 === 0 ? 0 : Math.sin(3 * i + 5 * step) * 10 ** ((i % 5) - 4),
  );
const start = Array.from({ length: 24 }, (_, i) => Math.cos(i) * 2);
const vectors = (values: readonly number[]): Params => ({ flat: tf.tensor1d([...values]) });
const matrices = (values: readonly number[]): Params => ({
  a: tf.tensor2d(values.slice(0, 12), [3, 4]),
  'b.c': tf.tensor1d(values.slice(12)),
});

function run(
  optimizer: Optimizer,
  as: (values: readonly number[]) => Params,
  steps: number,
): { params: number[][]; states: OptimizerState[] } {
  let params = as(start);
  let state = optimizer.init(params);
  const out: { params: number[][]; states: OptimizerState[] } = { params: [], states: [state] };
  for (let step = 0; step < steps; step++) {
    const next = optimizer.update(as(gradient(24, step)), state, params);
    state = next.state;
    params = Object.fromEntries(
      Object.entries(params).map(([name, p]) => [name, tf.add(p, next.updates[name]!)]),
    );
    out.params.push(Object.values(params).flatMap((p) => [...p.dataSync()]));
    out.states.push(state);
  }
  return out;
}

const worst = (got: readonly number[], wanted: readonly number[]): number =>
  Math.max(...wanted.map((w, i) => Math.abs(got[i]! - w) / (1e-3 + Math.abs(w))));

describe('adamw', () => {
  it.each([
    { warmup: 0, weightDecay: 1, b1: 0.9, b2: 0.98 },
    { warmup: 10, weightDecay: 1, b1: 0.9, b2: 0.98 },
    { warmup: 3, weightDecay: 0, b1: 0.9, b2: 0.999 },
    { warmup: 0, weightDecay: 0.1, b1: 0, b2: 0 },
  ])('matches float64: %o', (options) => {
    // Catches: eps inside the root, a bias correction off by one step, decay not multiplied by the
    // learning rate.
    const { warmup, ...rest } = options;
    const settings = {
      ...rest,
      eps: 1e-8,
      rate: (s: number) => 1e-2 * Math.min(1, warmup ? s / warmup : 1),
    };
    const wanted = adamwReference(
      start,
      Array.from({ length: 30 }, (_, s) => gradient(24, s)),
      settings,
    );
    const got = run(adamw({ ...options, learningRate: 1e-2 }), matrices, 30).params;
    wanted.forEach((row, step) => {
      expect(worst(got[step]!, row)).toBeLessThan(1e-5);
    });
  });

  it('applies eps as in the algorithm', () => {
    // Catches: eps scaled the wrong way by the rearranged bias correction.
    const settings = { b1: 0.9, b2: 0.98, eps: 0.01, weightDecay: 0, rate: () => 1e-2 };
    const wanted = adamwReference(
      start,
      Array.from({ length: 5 }, (_, s) => gradient(24, s)),
      settings,
    );
    const got = run(adamw({ learningRate: 1e-2, eps: 0.01, weightDecay: 0 }), vectors, 5).params;
    expect(worst(got.at(-1)!, wanted.at(-1)!)).toBeLessThan(1e-5);
  });

  it('leaves parameters unchanged at the first step of a warm-up', () => {
    // Catches: a warm-up that starts at lr / steps.
    const { params } = run(adamw({ warmup: 10 }), vectors, 2);
    expect(params[0]).toEqual([...Float32Array.from(start)]);
    expect(params[1]).not.toEqual(params[0]);
  });

  it('gives the same bits for one vector as for named parameters', () => {
    // Catches: an optimizer that claims to be elementwise but is not.
    const optimizer = adamw({ warmup: 4 });
    expect(optimizer.elementwise).toBe(true);
    expect(run(optimizer, vectors, 6).params).toEqual(run(optimizer, matrices, 6).params);
  });

  it('keeps the names, shapes and types of its state', () => {
    // Catches: a counter that becomes float32, which a compiled step would refuse.
    const { states } = run(adamw({ warmup: 2 }), matrices, 3);
    const signature = (state: OptimizerState): unknown =>
      Object.entries(state).map(([name, leaf]) =>
        leaf instanceof tf.Tensor
          ? [name, leaf.shape, leaf.dtype]
          : [name, signature(leaf as OptimizerState)],
      );
    expect(states.map(signature)).toEqual(states.map(() => signature(states[0]!)));
    const adam = states[3]![0] as OptimizerState;
    expect((adam.count as tf.Tensor).dtype).toBe('int32');
    expect((adam.count as tf.Tensor).dataSync()[0]).toBe(3);
  });

  it('is pure', () => {
    // Catches: state or parameters changed in place.
    const optimizer = adamw();
    const params = vectors(start);
    const state = optimizer.init(params);
    const first = optimizer.update(vectors(gradient(24, 1)), state, params);
    const again = optimizer.update(vectors(gradient(24, 1)), state, params);
    expect(again.updates.flat?.dataSync()).toEqual(first.updates.flat!.dataSync());
  });

  it('leaks nothing', () => {
    // Catches: a tensor leaked in every step.
    const optimizer = adamw({ warmup: 2 });
    const params = vectors(start);
    const state = optimizer.init(params);
    const before = tf.memory().numTensors;
    const out = tf.tidy(
      () => optimizer.update(params, state, params) as unknown as tf.TensorContainer,
    );
    expect(tf.memory().numTensors - before).toBe(1 + 4); // update; two counts, mu, nu
    tf.dispose(out);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('checks its options', () => {
    // Catches: a negative learning rate or b2 = 1, which would train to NaN.
    expect(() => adamw({ b2: 1 })).toThrow('optimizer "adamw": option "b2"');
    expect(() => adamw({ learningRate: -1 })).toThrow('option "learningRate"');
    expect(() => adamw({ warmup: 1.5 })).toThrow('option "warmup"');
    expect(() => adamw({ lr: 1 } as object)).toThrow('unknown option "lr"');
  });
});

describe('chain', () => {
  it('passes updates on in order, and its state can be rebuilt from its leaves', () => {
    // Catches: transformations applied in reverse; the empty branch of a stateless one lost in
    // storage.
    const optimizer = chain(
      addDecayedWeights(0.5),
      scaleByAdam({ b1: 0.9, b2: 0.98, eps: 1e-8 }),
      scaleByLearningRate(0.1),
    );
    const params = vectors([2, -4]);
    const state = optimizer.init(params);
    expect(Object.keys(state)).toEqual(['1']);
    const { updates } = optimizer.update(vectors([1, 2.5]), state, params);
    // The gradients become 2 and 0.5; Adam's first step is their sign.
    const got = updates.flat!.dataSync();
    expect(got[0]).toBeCloseTo(-0.1, 5);
    expect(got[1]).toBeCloseTo(-0.1, 5);
  });

  it('is elementwise only if all of its transformations are', () => {
    // Catches: an optimizer for matrices that receives one flat vector.
    const whole: Optimizer = { ...addDecayedWeights(1), elementwise: false };
    expect(chain(addDecayedWeights(1), whole).elementwise).toBe(false);
  });
});
