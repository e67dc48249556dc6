/** Operations used in training steps, each with its float64 equivalent: every backend must agree in value and gradient. */
import { rng, sizeOf } from '@grok/core';
import * as tf from '@grok/tfjs';
import {
  type Array64,
  array64,
  crossEntropy64,
  logSoftmax64,
  matMul64,
  rows64,
  softmax64,
} from './reference.js';

/**
 * An operation to test: random float inputs by name, the function in tfjs, and the same function in float64.
 */
export interface BackendCase<Names extends string = string> {
  readonly name: string;
  /** Shapes. */
  readonly inputs: Readonly<Record<Names, readonly number[]>>;
  /** Maps normal random numbers to a range where the function is smooth. */
  readonly domain?: (x: number) => number;
  tensor(x: Readonly<Record<Names, tf.Tensor>>): tf.Tensor;
  reference(x: Readonly<Record<Names, Array64>>): ArrayLike<number>;
}

/** Makes a case whose functions receive exactly the named inputs. */
export function backendCase<Names extends string>(entry: BackendCase<Names>): BackendCase<Names> {
  return entry;
}

/** Inputs of a case, the same at every call. */
export function drawInputs({
  name,
  inputs,
  domain = (x) => x,
}: BackendCase): Record<string, Array64> {
  return Object.fromEntries(
    Object.entries(inputs).map(([key, shape]) => {
      const draws = rng(1).split(name).split(key).normal(sizeOf(shape));
      return [
        key,
        array64(
          shape,
          draws.map((x) => domain(x)),
        ),
      ];
    }),
  );
}

const zip = (
  x: Float64Array,
  y: ArrayLike<number>,
  f: (a: number, b: number, index: number) => number,
): Float64Array => x.map((value, i) => f(value, y[i] ?? Number.NaN, i));
const map = (x: Array64, f: (value: number, index: number) => number): Float64Array =>
  x.data.map(f);
const batched = (
  a: Array64,
  b: Array64,
  flags: { transposeA?: boolean; transposeB?: boolean } = {},
): number[] => {
  const sliceBatch = (x: Array64, i: number): Array64 => {
    const [rows = 1, columns = 1] = x.shape.slice(-2);
    return array64([rows, columns], x.data.subarray(i * rows * columns, (i + 1) * rows * columns));
  };
  const count = sizeOf(a.shape.slice(0, -2));
  return Array.from({ length: count }, (_, i) => [
    ...matMul64(sliceBatch(a, i), sliceBatch(b, i), flags).data,
  ]).flat();
};
/** Awkward sizes, neither square nor multiples of four, which exercise the tails of vector code. */
const products: readonly BackendCase[] = [false, true].flatMap((transposeA) =>
  [false, true].flatMap((transposeB) => {
    const [a, b] = [transposeA ? [5, 3] : [3, 5], transposeB ? [7, 5] : [5, 7]];
    const flags = { transposeA, transposeB };
    const label = `transposeA ${transposeA}, transposeB ${transposeB}`;
    return [
      backendCase({
        name: `matMul, ${label}`,
        inputs: { a, b },
        tensor: ({ a, b }) => tf.matMul(a, b, transposeA, transposeB),
        reference: ({ a, b }) => matMul64(a, b, flags).data,
      }),
      backendCase({
        name: `matMul of stacks, ${label}`,
        inputs: { a: [2, 3, ...a], b: [2, 3, ...b] },
        tensor: ({ a, b }) => tf.matMul(a, b, transposeA, transposeB),
        reference: ({ a, b }) => batched(a, b, flags),
      }),
    ];
  }),
);

const IDS = [4, 0, 4, 1, 4, 0]; // repeated rows, whose gradients must be summed
const KEEP = [1, 0, 1, 1, 0, 1, 1, 0];

/** Operations that models and losses use; extend them for new operations. */
export const backendCases: readonly BackendCase[] = [
  ...products,
  backendCase({
    name: 'gather of embedding rows',
    inputs: { table: [5, 4] },
    tensor: ({ table }) => tf.gather(table, tf.tensor2d(IDS, [2, 3], 'int32')), // [2, 3, 4]
    reference: ({ table }) => IDS.flatMap((id) => [...table.data.subarray(id * 4, id * 4 + 4)]),
  }),
  backendCase({
    name: 'gather along an inner axis',
    inputs: { x: [3, 2, 5] },
    tensor: ({ x }) => tf.gather(x, tf.tensor1d([1, 0], 'int32'), 1),
    reference: ({ x }) =>
      [0, 1, 2].flatMap((i) =>
        [1, 0].flatMap((j) => [...x.data.subarray((i * 2 + j) * 5, (i * 2 + j + 1) * 5)]),
      ),
  }),
  backendCase({
    name: 'masked softmax',
    inputs: { x: [2, 3, 3] },
    tensor: ({ x }) =>
      tf.softmax(tf.add(x, tf.tensor2d([0, -1e9, -1e9, 0, 0, -1e9, 0, 0, 0], [3, 3]))),
    reference: ({ x }) =>
      softmax64({
        ...x,
        data: map(x, (value, i) => (i % 3 > Math.floor(i / 3) % 3 ? -1e9 : value)),
      }).data,
  }),
  backendCase({
    name: 'cross-entropy with one-hot labels',
    inputs: { logits: [4, 5] },
    tensor: ({ logits }) => {
      const labels = tf.oneHot(tf.tensor1d([1, 0, 4, 4], 'int32'), 5, 1, 0, 'float32');
      return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), labels), -1)));
    },
    reference: ({ logits }) => [crossEntropy64(logits, [1, 0, 4, 4])],
  }),
  backendCase({
    name: 'large logits',
    inputs: { logits: [2, 3] },
    domain: (x) => 300 * x,
    tensor: ({ logits }) => tf.logSoftmax(logits),
    reference: ({ logits }) => logSoftmax64(logits).data,
  }),
  backendCase({
    name: 'root mean square norm',
    inputs: { x: [3, 6], w: [6] },
    tensor: ({ x, w }) => {
      const square = tf.mean(tf.square(x), -1, true);
      return tf.mul(tf.mul(x, tf.rsqrt(tf.add(square, 1e-6))), w);
    },
    reference: ({ x, w }) =>
      rows64(x, (row) => {
        const mean = row.reduce((total, value) => total + value ** 2, 0) / row.length;
        return zip(row, w.data, (value, scale) => (value / Math.sqrt(mean + 1e-6)) * scale);
      }).data,
  }),
  backendCase({
    name: 'gated SiLU',
    inputs: { a: [3, 5], b: [3, 5] },
    tensor: ({ a, b }) => tf.mul(tf.mul(a, tf.sigmoid(a)), b),
    reference: ({ a, b }) => zip(a.data, b.data, (x, y) => (x / (1 + Math.exp(-x))) * y),
  }),
  backendCase({
    name: 'halves sliced, joined, scaled',
    inputs: { x: [2, 3, 4] },
    tensor: ({ x }) => {
      const [left, right] = [tf.slice(x, [0, 0, 0], [-1, -1, 2]), tf.slice(x, [0, 0, 2])];
      return tf.concat([tf.neg(right), tf.mul(left, 2)], -1);
    },
    reference: ({ x }) =>
      rows64(x, (row) =>
        Float64Array.of(...row.slice(2).map((v) => -v), ...row.slice(0, 2).map((v) => 2 * v)),
      ).data,
  }),
  backendCase({
    name: 'dropout mask of bool',
    inputs: { x: [2, 4] },
    tensor: ({ x }) =>
      tf.div(tf.mul(x, tf.cast(tf.tensor2d(KEEP, [2, 4], 'bool'), 'float32')), 0.8),
    reference: ({ x }) => zip(x.data, KEEP, (value, keep) => (value * keep) / 0.8),
  }),
  backendCase({
    name: 'where with a mask of bool',
    inputs: { x: [2, 4], y: [2, 4] },
    tensor: ({ x, y }) => tf.where(tf.tensor2d(KEEP, [2, 4], 'bool'), x, y),
    reference: ({ x, y }) => zip(x.data, y.data, (value, other, i) => (KEEP[i] ? value : other)),
  }),
  backendCase({
    name: 'sums and means over axes',
    inputs: { x: [3, 4, 5] },
    tensor: ({ x }) => tf.add(tf.mean(x, [0, 2]), tf.sum(tf.sum(x, 0), -1)), // [4]
    reference: ({ x }) =>
      Array.from({ length: 4 }, (_, j) => {
        const total = x.data.reduce(
          (sum, value, i) => (Math.floor(i / 5) % 4 === j ? sum + value : sum),
          0,
        );
        return total / 15 + total;
      }),
  }),
  backendCase({
    name: 'heads exchanged with positions',
    inputs: { x: [2, 3, 8] },
    tensor: ({ x }) => tf.transpose(tf.reshape(x, [2, 3, 2, 4]), [0, 2, 1, 3]),
    reference: ({ x }) =>
      Array.from({ length: 48 }, (_, i) => {
        const [b, h, p, d] = [
          Math.floor(i / 24),
          Math.floor(i / 12) % 2,
          Math.floor(i / 4) % 3,
          i % 4,
        ];
        return x.data[b * 24 + p * 8 + h * 4 + d] ?? Number.NaN;
      }),
  }),
  backendCase({
    name: 'broadcast from both sides',
    inputs: { x: [3, 1, 4], y: [2, 1] },
    // Not squaredDifference, whose gradient in tfjs does not sum over broadcast axes.
    tensor: ({ x, y }) => tf.square(tf.sub(tf.mul(x, y), y)), // [3, 2, 4]
    reference: ({ x, y }) =>
      Array.from({ length: 24 }, (_, i) => {
        const v = y.data[Math.floor(i / 4) % 2] ?? Number.NaN;
        return ((x.data[Math.floor(i / 8) * 4 + (i % 4)] ?? Number.NaN) * v - v) ** 2;
      }),
  }),
  backendCase({
    name: 'parts split, stacked, padded, tiled',
    inputs: { x: [4, 3] },
    tensor: ({ x }) => {
      const [top = x, bottom = x] = tf.split(x, 2); // [2, 3] each
      const [first = x] = tf.unstack(tf.stack([top, bottom]));
      const stacked = tf.stack([bottom, first]); // [2, 2, 3]
      return tf.tile(
        tf.pad(tf.reshape(stacked, [4, 3]), [
          [1, 0],
          [0, 1],
        ]),
        [1, 2],
      ); // [5, 8]
    },
    reference: ({ x }) =>
      Array.from({ length: 40 }, (_, i) => {
        const [row, column] = [Math.floor(i / 8) - 1, (i % 8) % 4];
        return row < 0 || column === 3 ? 0 : (x.data[((row + 2) % 4) * 3 + column] ?? Number.NaN);
      }),
  }),
  backendCase({
    name: 'powers, roots, logarithms',
    inputs: { x: [2, 5], y: [2, 5] },
    domain: (x) => 0.5 + Math.abs(x),
    tensor: ({ x, y }) =>
      tf.add(tf.div(tf.sqrt(x), tf.exp(tf.neg(y))), tf.mul(tf.log(x), tf.pow(y, 3))),
    reference: ({ x, y }) =>
      zip(x.data, y.data, (v, w) => Math.sqrt(v) * Math.exp(w) + Math.log(v) * w ** 3),
  }),
  backendCase({
    name: 'kinks: relu, abs, maximum, minimum, max',
    inputs: { x: [3, 4], y: [3, 4] },
    tensor: ({ x, y }) =>
      tf.add(
        tf.add(tf.relu(x), tf.abs(y)),
        tf.add(tf.mul(tf.maximum(x, y), tf.minimum(x, y)), tf.max(x, -1, true)),
      ),
    reference: ({ x, y }) =>
      zip(x.data, y.data, (a, b, i) => {
        const row = x.data.subarray(i - (i % 4), i - (i % 4) + 4);
        return Math.max(a, 0) + Math.abs(b) + a * b + Math.max(...row);
      }),
  }),
  backendCase({
    name: 'cosine similarity',
    inputs: { x: [3, 4], y: [3, 4] },
    tensor: ({ x, y }) => {
      const length = (v: tf.Tensor): tf.Tensor => tf.norm(v, 'euclidean', -1);
      return tf.div(tf.sum(tf.mul(x, y), -1), tf.mul(length(x), length(y)));
    },
    reference: ({ x, y }) =>
      [0, 4, 8].map((start) => {
        const row = ({ data }: Array64): Float64Array => data.subarray(start, start + 4);
        const dot = (u: Float64Array, v: Float64Array): number =>
          zip(u, v, (p, q) => p * q).reduce((sum, value) => sum + value);
        return dot(row(x), row(y)) / Math.sqrt(dot(row(x), row(x)) * dot(row(y), row(y)));
      }),
  }),
];
