/**
 * Operations that a training step is made of, each beside the same thing in float64: what every
 * backend must compute, and differentiate, alike.
 */
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

/** Float inputs by name, drawn at random; the function in tfjs, and the same in float64. */
export interface BackendCase {
  readonly name: string;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** Maps normal draws to where the function is smooth. */
  readonly domain?: (x: number) => number;
  readonly tensor: (x: Readonly<Record<string, tf.Tensor>>) => tf.Tensor;
  readonly reference: (x: Readonly<Record<string, Array64>>) => ArrayLike<number>;
}

/** Values of a case's inputs, the same at every call. */
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

const map = (x: Array64, f: (value: number, index: number) => number): Float64Array =>
  x.data.map(f);
const batched = (
  a: Array64,
  b: Array64,
  flags: { transposeA?: boolean; transposeB?: boolean } = {},
): number[] => {
  const cut = (x: Array64, i: number): Array64 => {
    const [rows, columns] = x.shape.slice(-2) as [number, number];
    return array64([rows, columns], x.data.subarray(i * rows * columns, (i + 1) * rows * columns));
  };
  const count = sizeOf(a.shape.slice(0, -2));
  return Array.from({ length: count }, (_, i) => [
    ...matMul64(cut(a, i), cut(b, i), flags).data,
  ]).flat();
};
/** Awkward sizes: neither square nor multiples of four, where vector code has its tails. */
const products: readonly BackendCase[] = [false, true].flatMap((transposeA) =>
  [false, true].flatMap((transposeB) => {
    const [a, b] = [transposeA ? [5, 3] : [3, 5], transposeB ? [7, 5] : [5, 7]];
    const flags = { transposeA, transposeB };
    const label = `transposeA ${transposeA}, transposeB ${transposeB}`;
    return [
      {
        name: `matMul, ${label}`,
        inputs: { a, b },
        tensor: ({ a, b }) => tf.matMul(a!, b!, transposeA, transposeB),
        reference: ({ a, b }) => matMul64(a!, b!, flags).data,
      },
      {
        name: `matMul of stacks, ${label}`,
        inputs: { a: [2, 3, ...a], b: [2, 3, ...b] },
        tensor: ({ a, b }) => tf.matMul(a!, b!, transposeA, transposeB),
        reference: ({ a, b }) => batched(a!, b!, flags),
      },
    ] satisfies BackendCase[];
  }),
);

const IDS = [4, 0, 4, 1, 4, 0]; // repeated rows: a gradient must add them up
const KEEP = [1, 0, 1, 1, 0, 1, 1, 0];

/** One case an idiom; add to them what a new model or loss brings. */
export const backendCases: readonly BackendCase[] = [
  ...products,
  {
    name: 'gather of embedding rows',
    inputs: { table: [5, 4] },
    tensor: ({ table }) => tf.gather(table!, tf.tensor2d(IDS, [2, 3], 'int32')), // [2, 3, 4]
    reference: ({ table }) => IDS.flatMap((id) => [...table!.data.subarray(id * 4, id * 4 + 4)]),
  },
  {
    name: 'gather along an inner axis',
    inputs: { x: [3, 2, 5] },
    tensor: ({ x }) => tf.gather(x!, tf.tensor1d([1, 0], 'int32'), 1),
    reference: ({ x }) =>
      [0, 1, 2].flatMap((i) =>
        [1, 0].flatMap((j) => [...x!.data.subarray((i * 2 + j) * 5, (i * 2 + j + 1) * 5)]),
      ),
  },
  {
    name: 'masked softmax',
    inputs: { x: [2, 3, 3] },
    tensor: ({ x }) =>
      tf.softmax(tf.add(x!, tf.tensor2d([0, -1e9, -1e9, 0, 0, -1e9, 0, 0, 0], [3, 3]))),
    reference: ({ x }) =>
      softmax64({
        ...x!,
        data: map(x!, (value, i) => (i % 3 > Math.floor(i / 3) % 3 ? -1e9 : value)),
      }).data,
  },
  {
    name: 'cross-entropy with one-hot labels',
    inputs: { logits: [4, 5] },
    tensor: ({ logits }) => {
      const labels = tf.oneHot(tf.tensor1d([1, 0, 4, 4], 'int32'), 5, 1, 0, 'float32');
      return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits!), labels), -1)));
    },
    reference: ({ logits }) => [crossEntropy64(logits!, [1, 0, 4, 4])],
  },
  {
    name: 'large logits',
    inputs: { logits: [2, 3] },
    domain: (x) => 300 * x,
    tensor: ({ logits }) => tf.logSoftmax(logits!),
    reference: ({ logits }) => logSoftmax64(logits!).data,
  },
  {
    name: 'root mean square norm',
    inputs: { x: [3, 6], w: [6] },
    tensor: ({ x, w }) => {
      const square = tf.mean(tf.square(x!), -1, true);
      return tf.mul(tf.mul(x!, tf.rsqrt(tf.add(square, 1e-6))), w!);
    },
    reference: ({ x, w }) =>
      rows64(x!, (row) => {
        const mean = row.reduce((total, value) => total + value ** 2, 0) / row.length;
        return row.map((value, i) => (value / Math.sqrt(mean + 1e-6)) * w!.data[i]!);
      }).data,
  },
  {
    name: 'gated SiLU',
    inputs: { a: [3, 5], b: [3, 5] },
    tensor: ({ a, b }) => tf.mul(tf.mul(a!, tf.sigmoid(a!)), b!),
    reference: ({ a, b }) => map(a!, (x, i) => (x / (1 + Math.exp(-x))) * b!.data[i]!),
  },
  {
    name: 'halves sliced, joined, scaled',
    inputs: { x: [2, 3, 4] },
    tensor: ({ x }) => {
      const [left, right] = [tf.slice(x!, [0, 0, 0], [-1, -1, 2]), tf.slice(x!, [0, 0, 2])];
      return tf.concat([tf.neg(right), tf.mul(left, 2)], -1);
    },
    reference: ({ x }) => map(x!, (_, i) => (i % 4 < 2 ? -x!.data[i + 2]! : 2 * x!.data[i - 2]!)),
  },
  {
    name: 'dropout mask of bool',
    inputs: { x: [2, 4] },
    tensor: ({ x }) =>
      tf.div(tf.mul(x!, tf.cast(tf.tensor2d(KEEP, [2, 4], 'bool'), 'float32')), 0.8),
    reference: ({ x }) => map(x!, (value, i) => (value * KEEP[i]!) / 0.8),
  },
  {
    name: 'where with a mask of bool',
    inputs: { x: [2, 4], y: [2, 4] },
    tensor: ({ x, y }) => tf.where(tf.tensor2d(KEEP, [2, 4], 'bool'), x!, y!),
    reference: ({ x, y }) => map(x!, (value, i) => (KEEP[i] ? value : y!.data[i]!)),
  },
  {
    name: 'sums and means over axes',
    inputs: { x: [3, 4, 5] },
    tensor: ({ x }) => tf.add(tf.mean(x!, [0, 2]), tf.sum(tf.sum(x!, 0), -1)), // [4]
    reference: ({ x }) =>
      Array.from({ length: 4 }, (_, j) => {
        const total = x!.data.reduce(
          (sum, value, i) => (Math.floor(i / 5) % 4 === j ? sum + value : sum),
          0,
        );
        return total / 15 + total;
      }),
  },
  {
    name: 'heads exchanged with positions',
    inputs: { x: [2, 3, 8] },
    tensor: ({ x }) => tf.transpose(tf.reshape(x!, [2, 3, 2, 4]), [0, 2, 1, 3]),
    reference: ({ x }) =>
      Array.from({ length: 48 }, (_, i) => {
        const [b, h, p, d] = [
          Math.floor(i / 24),
          Math.floor(i / 12) % 2,
          Math.floor(i / 4) % 3,
          i % 4,
        ];
        return x!.data[b * 24 + p * 8 + h * 4 + d]!;
      }),
  },
  {
    name: 'broadcast from both sides',
    inputs: { x: [3, 1, 4], y: [2, 1] },
    // Not squaredDifference: tfjs's gradient of it forgets to sum over broadcast axes.
    tensor: ({ x, y }) => tf.square(tf.sub(tf.mul(x!, y!), y!)), // [3, 2, 4]
    reference: ({ x, y }) =>
      Array.from({ length: 24 }, (_, i) => {
        const v = y!.data[Math.floor(i / 4) % 2]!;
        return (x!.data[Math.floor(i / 8) * 4 + (i % 4)]! * v - v) ** 2;
      }),
  },
  {
    name: 'parts split, stacked, padded, tiled',
    inputs: { x: [4, 3] },
    tensor: ({ x }) => {
      const [top, bottom] = tf.split(x!, 2) as [tf.Tensor, tf.Tensor]; // [2, 3] each
      const stacked = tf.stack([bottom, tf.unstack(tf.stack([top, bottom]))[0]!]); // [2, 2, 3]
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
        return row < 0 || column === 3 ? 0 : x!.data[((row + 2) % 4) * 3 + column]!;
      }),
  },
  {
    name: 'powers, roots, logarithms',
    inputs: { x: [2, 5], y: [2, 5] },
    domain: (x) => 0.5 + Math.abs(x),
    tensor: ({ x, y }) =>
      tf.add(tf.div(tf.sqrt(x!), tf.exp(tf.neg(y!))), tf.mul(tf.log(x!), tf.pow(y!, 3))),
    reference: ({ x, y }) =>
      map(x!, (v, i) => Math.sqrt(v) * Math.exp(y!.data[i]!) + Math.log(v) * y!.data[i]! ** 3),
  },
  {
    name: 'kinks: relu, abs, maximum, minimum, max',
    inputs: { x: [3, 4], y: [3, 4] },
    tensor: ({ x, y }) =>
      tf.add(
        tf.add(tf.relu(x!), tf.abs(y!)),
        tf.add(tf.mul(tf.maximum(x!, y!), tf.minimum(x!, y!)), tf.max(x!, -1, true)),
      ),
    reference: ({ x, y }) =>
      map(x!, (a, i) => {
        const b = y!.data[i]!;
        const row = x!.data.subarray(i - (i % 4), i - (i % 4) + 4);
        return Math.max(a, 0) + Math.abs(b) + a * b + Math.max(...row);
      }),
  },
  {
    name: 'cosine similarity',
    inputs: { x: [3, 4], y: [3, 4] },
    tensor: ({ x, y }) => {
      const length = (v: tf.Tensor): tf.Tensor => tf.norm(v, 'euclidean', -1);
      return tf.div(tf.sum(tf.mul(x!, y!), -1), tf.mul(length(x!), length(y!)));
    },
    reference: ({ x, y }) =>
      [0, 1, 2].map((row) => {
        const [a, b] = [x!, y!].map(({ data }) => [...data.subarray(row * 4, row * 4 + 4)]);
        const dot = (u: number[], v: number[]): number =>
          u.reduce((sum, value, i) => sum + value * v[i]!, 0);
        return dot(a!, b!) / Math.sqrt(dot(a!, a!) * dot(b!, b!));
      }),
  },
];
