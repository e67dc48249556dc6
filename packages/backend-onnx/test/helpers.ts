/** Runs a function on `onnx` and on tfjs's `cpu`, and compares the results. */
import type { Backend, DType, HostArray, TypedArray } from '@grok/core';
import { freeTree, type OnDevice, readTree, uploadTree } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { expect } from 'vitest';
import { type OnnxOptions, onnx } from '../src/index.js';

export type Host = HostArray;
export type Hosts = Readonly<Record<string, Host>>;
/** Tensors with one-letter names, to keep cases short. */
export type Tensors = Readonly<
  Record<'a' | 'b' | 'c' | 'i' | 'm' | 'o' | 's' | 'u' | 'v' | 'w' | 'x' | 'y', tf.Tensor>
>;
type Results = Readonly<Record<string, tf.Tensor>>;

/** A reproducible stream of numbers in [0, 1). */
export function randomStream(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const stream = randomStream(7);
const size = (shape: readonly number[]) => shape.reduce((p, q) => p * q, 1);
/** Floats, uniform in [low, high). */
export function floats(shape: readonly number[], low = -2, high = 2, next = stream): Host {
  const data = Float32Array.from({ length: size(shape) }, () => low + (high - low) * next());
  return { shape, dtype: 'float32', data };
}
/** Integers, low ≤ n < high. */
export function ints(shape: readonly number[], low = -5, high = 6, next = stream): Host {
  const data = Int32Array.from({ length: size(shape) }, () =>
    Math.floor(low + (high - low) * next()),
  );
  return { shape, dtype: 'int32', data };
}
export function bools(shape: readonly number[], probability = 0.5, next = stream): Host {
  const data = Uint8Array.from({ length: size(shape) }, () => (next() < probability ? 1 : 0));
  return { shape, dtype: 'bool', data };
}
export function exactly(dtype: DType, shape: readonly number[], values: readonly number[]): Host {
  const kind = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[dtype];
  return { shape, dtype, data: kind.from(values) };
}

export const backend = (options: OnnxOptions = {}): Promise<Backend> =>
  Promise.resolve(onnx({ threads: 1, ...options }));

/** Compiles and runs once; returns results on the host. */
export async function runOnnx(
  fn: (inputs: Tensors) => Results,
  hosts: Hosts,
  on?: Backend,
): Promise<Record<string, Host>> {
  const to = on ?? (await backend());
  const inputs = uploadTree(to, hosts) as OnDevice<Tensors>;
  const program = await to.compile('test', fn, inputs);
  const outputs = await program.run(inputs);
  const results = await readTree(to, outputs);
  program.dispose();
  for (const tree of [inputs, outputs]) freeTree(to, tree);
  if (on === undefined) await to.dispose();
  return results;
}
/** The same function, eagerly on tfjs's cpu backend. */
export async function runCpu(
  fn: (inputs: Tensors) => Results,
  hosts: Hosts,
): Promise<Record<string, Host>> {
  await tf.setBackend('cpu');
  return tf.tidy(() => {
    const inputs = Object.fromEntries(
      Object.entries(hosts).map(([name, h]) => [name, tf.tensor(h.data, [...h.shape], h.dtype)]),
    ) as Tensors;
    return Object.fromEntries(
      Object.entries(fn(inputs)).map(([name, t]) => [
        name,
        { shape: t.shape, dtype: t.dtype as DType, data: t.dataSync() as TypedArray },
      ]),
    );
  });
}

/** Same names, shapes, types, and values within `tolerance` (absolute and relative). */
export function expectSame(got: Hosts, wanted: Hosts, tolerance = 1e-5): void {
  expect(Object.keys(got)).toEqual(Object.keys(wanted));
  for (const [name, want] of Object.entries(wanted)) {
    const have = got[name]!;
    expect([name, have.dtype, ...have.shape]).toEqual([name, want.dtype, ...want.shape]);
    let worst = 0;
    let at = -1;
    want.data.forEach((w, i) => {
      const h = have.data[i]!;
      if (Object.is(w, h) || w === h) return;
      const error = Math.abs(w - h) / (1 + Math.abs(w));
      if (!(error <= worst)) {
        worst = error;
        at = i;
      }
    });
    const difference =
      at < 0 ? '' : `${name}[${at}]: wanted ${want.data[at]}, got ${have.data[at]}`;
    expect(worst <= tolerance ? '' : difference).toBe('');
  }
}
/** Compares `onnx` with `cpu`: values, and the gradient of Σ output·weights with respect to every float input. */
export async function expectLikeCpu(
  fn: (inputs: Tensors) => tf.Tensor,
  hosts: Hosts,
  { gradients = false, tolerance = 1e-5, on = undefined as Backend | undefined } = {},
): Promise<void> {
  const whole = (inputs: Tensors): Results => {
    const y = fn(inputs);
    if (!gradients) return { y };
    const names = Object.keys(hosts).filter((name) => hosts[name]!.dtype === 'float32');
    const floats = names.map((name) => inputs[name as keyof Tensors]);
    const weights = tf.tensor(
      Float32Array.from({ length: y.size }, (_, i) => Math.sin(i + 1)),
      y.shape,
    );
    const grads = tf.grads((...args: tf.Tensor[]) => {
      const given = { ...inputs, ...Object.fromEntries(names.map((name, i) => [name, args[i]!])) };
      return tf.sum(tf.mul(fn(given), weights));
    })(floats);
    return { y, ...Object.fromEntries(names.map((name, i) => [`d${name}`, grads[i]!])) };
  };
  const wanted = await runCpu(whole, hosts);
  expectSame(await runOnnx(whole, hosts, on), wanted, tolerance);
}
