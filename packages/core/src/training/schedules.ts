/**
 * Schedules as functions of an int32 tensor of the step count, so that they compile with the step:
 * learning rates of optimizers and weights of loss terms. The names are optax's.
 */
import * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import type { WeightSchedule } from '../contracts/run-types.js';

/** A value as a function of the steps taken: int32 scalar in, float32 scalar out. */
export type Schedule = (step: tf.Tensor) => tf.Tensor;

/** From one value to another: `from` until step `begin` (default 0), then `to` after `steps` more. */
export interface Ramp {
  readonly from: number;
  readonly to: number;
  readonly begin?: number;
  readonly steps: number;
}

/** The same value at every step. */
export function constant(value: number): Schedule {
  return () => tf.scalar(value);
}

/**
 * Linear from exactly 0 at the first step to `peak` after `steps` steps, then constant. @throws
 * InputError when `steps` is not an integer ≥ 0.
 */
export function linearWarmup(peak: number, steps: number): Schedule {
  if (!Number.isInteger(steps) || steps < 0)
    throw new InputError(`schedule: warm-up must be an integer number of steps ≥ 0, got ${steps}`);
  if (steps === 0) return constant(peak);
  return (step) => tf.mul(tf.minimum(tf.div(tf.cast(step, 'float32'), steps), 1), peak);
}

/** Linear from `from` to `to`, exact at both ends. @throws InputError when `steps` is not an integer ≥ 1. */
export function linear(ramp: Ramp): Schedule {
  const progress = rampProgress(ramp);
  return (step) => interpolate(ramp, progress(step));
}

/**
 * From `from` to `to` along half a cosine (Loshchilov and Hutter 2017, equation 5, without restarts).
 * @throws InputError when `steps` is not an integer ≥ 1.
 */
export function cosine(ramp: Ramp): Schedule {
  const progress = rampProgress(ramp);
  return (step) => {
    const left = tf.div(tf.add(tf.cos(tf.mul(progress(step), Math.PI)), 1), 2); // 1 … 0
    return interpolate(ramp, tf.sub(1, left));
  };
}

/**
 * Warm-up as in `linearWarmup`, then `cosine` from `peak` down to `floor` at step `steps`, then
 * constant.
 * @throws InputError when `steps` is not greater than `warmup`.
 */
export function warmupCosine(
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
  const falling = cosine({ from: peak, to: floor, begin: warmup, steps: steps - warmup });
  return (step) => tf.mul(rising(step), falling(step));
}

/** Creates the schedule of a specification. @throws InputError as `linear`. */
export function createSchedule({ schedule, ...ramp }: WeightSchedule): Schedule {
  return schedule === 'linear' ? linear(ramp) : cosine(ramp);
}

/** The completed fraction of a ramp, 0 … 1. */
function rampProgress({ begin = 0, steps }: Ramp): Schedule {
  if (!Number.isInteger(steps) || steps < 1)
    throw new InputError(`schedule: must last an integer number of steps ≥ 1, got ${steps}`);
  return (step) => {
    const since = tf.div(tf.sub(tf.cast(step, 'float32'), begin), steps);
    return tf.minimum(tf.maximum(since, 0), 1);
  };
}

/** A weighted mean of both ends, exact at either end. */
function interpolate({ from, to }: Ramp, share: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(tf.sub(1, share), from), tf.mul(share, to));
}
