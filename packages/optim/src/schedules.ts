/** Learning rates as functions of the int32 tensor of steps taken, so that they compile with the step. */
import { InputError } from '@grok/core';
import * as tf from '@grok/tfjs';
import type { Schedule } from './transform.js';

/** The same rate at every step. */
export function constant(rate: number): Schedule {
  return () => tf.scalar(rate);
}

/** From exactly 0 at the first step straight up to `peak` after `steps` steps, then `peak`. @throws InputError when `steps` is no whole number ≥ 0. */
export function linearWarmup(peak: number, steps: number): Schedule {
  if (!Number.isInteger(steps) || steps < 0)
    throw new InputError(`schedule: warm-up is a whole number of steps from 0 on, got ${steps}`);
  if (steps === 0) return constant(peak);
  return (step) => tf.mul(tf.minimum(tf.div(tf.cast(step, 'float32'), steps), 1), peak);
}

/**
 * Warm-up as `linearWarmup`, then half a cosine from `peak` down to `floor` at step `steps`, then `floor`
 * (Loshchilov and Hutter 2017, equation 5, without restarts).
 * @throws InputError when `steps` is not greater than `warmup`.
 */
export function cosine(
  peak: number,
  steps: number,
  options: { readonly warmup?: number; readonly floor?: number } = {},
): Schedule {
  const { warmup = 0, floor = 0 } = options;
  if (!(steps > warmup))
    throw new InputError(
      `schedule: a cosine over ${steps} steps must be longer than its warm-up of ${warmup}`,
    );
  const rising = linearWarmup(1, warmup);
  return (step) => {
    const since = tf.sub(tf.cast(step, 'float32'), warmup);
    const done = tf.minimum(tf.maximum(tf.div(since, steps - warmup), 0), 1);
    const share = tf.div(tf.add(tf.cos(tf.mul(done, Math.PI)), 1), 2); // 1 … 0
    return tf.mul(rising(step), tf.add(tf.mul(share, peak - floor), floor));
  };
}
