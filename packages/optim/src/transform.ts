/**
 * Gradient transformations after optax (DeepMind): pure `init` and `update`, composed by `chain`.
 * Counters are int32 tensors in the state, so a compiled step depends on no JS value that changes.
 */
import type { Optimizer, OptimizerState, Params } from '@grok/core';
import { ln, mapTrees, type Schedule } from '@grok/core/internal';
import * as tf from '@grok/tfjs';

/** Chains transformations: each one gets the updates of the previous one. */
export function chain(...transformations: readonly Optimizer[]): Optimizer {
  return {
    init: (params) =>
      Object.fromEntries(
        transformations
          .map((transformation, i) => [String(i), transformation.init(params)] as const)
          // A stateless transformation has no entry: an empty branch would be lost, since state is
          // stored by leaves.
          .filter(([, state]) => Object.keys(state).length > 0),
      ),
    update(grads, state, params) {
      let updates = grads;
      const next: Record<string, OptimizerState> = {};
      transformations.forEach((transformation, i) => {
        const own = state[String(i)] as OptimizerState | undefined;
        const result = transformation.update(updates, own ?? {}, params);
        updates = result.updates;
        if (own !== undefined) next[String(i)] = result.state;
      });
      return { updates, state: next };
    },
    elementwise: transformations.every((transformation) => transformation.elementwise),
  };
}

/** Options of `scaleByAdam`. */
export interface AdamOptions {
  readonly b1: number;
  readonly b2: number;
  readonly eps: number;
}

/**
 * `m̂ / (√v̂ + eps)` with bias-corrected moments (Kingma and Ba 2015, algorithm 1), in the order given at the
 * end of their section 2, which saves a pass over the parameters: `m · √(1 − b2ᵗ)/(1 − b1ᵗ) / (√v + eps·√(1 −
 * b2ᵗ))`. State: `count` (int32, steps taken), `mu` and `nu` (one entry per parameter).
 */
export function scaleByAdam({ b1, b2, eps }: AdamOptions): Optimizer {
  const average = (decay: number, old: tf.Tensor, value: tf.Tensor): tf.Tensor =>
    tf.add(tf.mul(old, decay), tf.mul(value, 1 - decay));
  return {
    init: (params) => ({
      count: tf.scalar(0, 'int32'),
      mu: mapTrees((p) => tf.zerosLike(p), params),
      nu: mapTrees((p) => tf.zerosLike(p), params),
    }),
    update(grads, state) {
      const count = increment(state.count as tf.Tensor);
      const mu = mapTrees((m, g) => average(b1, m, g), state.mu as Params, grads);
      const nu = mapTrees((v, g) => average(b2, v, tf.square(g)), state.nu as Params, grads);
      const t = tf.cast(count, 'float32');
      const root = tf.sqrt(correction(b2, t));
      const scale = tf.div(root, correction(b1, t));
      const small = tf.mul(root, eps);
      const updates = mapTrees(
        (m, v) => tf.div(tf.mul(m, scale), tf.add(tf.sqrt(v), small)),
        mu,
        nu,
      );
      return { updates, state: { count, mu, nu } };
    },
    elementwise: true,
  };
}

/** `1 − decayᵗ` as `2τ / (1 + τ)`, τ = tanh(−t·ln(decay)/2), which stays accurate when the power is near 1. */
function correction(decay: number, t: tf.Tensor): tf.Tensor {
  const rate = decay === 0 ? Number.NEGATIVE_INFINITY : ln(decay);
  const tau = tf.tanh(tf.mul(t, -rate / 2));
  return tf.div(tau, tf.add(tf.mul(tau, 0.5), 0.5));
}

/**
 * Adds `weightDecay · parameter` to every update, including norms and embeddings: decoupled weight decay
 * (Loshchilov and Hutter 2019).
 */
export function addDecayedWeights(weightDecay: number): Optimizer {
  return {
    init: () => ({}),
    update: (grads, state, params) => ({
      updates:
        weightDecay === 0
          ? grads
          : mapTrees((u, p) => tf.add(u, tf.mul(p, weightDecay)), grads, params),
      state,
    }),
    elementwise: true,
  };
}

/** Multiplies every update by `−schedule(steps taken)`; the first step reads the schedule at 0. State: `count`. */
export function scaleBySchedule(schedule: Schedule): Optimizer {
  return {
    init: () => ({ count: tf.scalar(0, 'int32') }),
    update(grads, state) {
      const count = state.count as tf.Tensor;
      const factor = tf.neg(schedule(count));
      return {
        updates: mapTrees((u) => tf.mul(u, factor), grads),
        state: { count: increment(count) },
      };
    },
    elementwise: true,
  };
}

/** Multiplies every update by `−learningRate`, a number or a schedule. */
export function scaleByLearningRate(learningRate: number | Schedule): Optimizer {
  if (typeof learningRate === 'function') return scaleBySchedule(learningRate);
  return {
    init: () => ({}),
    update: (grads, state) => ({
      updates: mapTrees((u) => tf.mul(u, -learningRate), grads),
      state,
    }),
    elementwise: true,
  };
}

/** `count + 1` as int32; adding a JS number would give float32. */
function increment(count: tf.Tensor): tf.Tensor {
  return tf.add(count, tf.scalar(1, 'int32'));
}
