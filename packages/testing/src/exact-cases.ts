/** Integers, flags and types, which every backend must compute exactly. */
import type { HostArray } from '@grok/core';
import * as tf from '@grok/tfjs';
import { bool, f32, i32 } from './arrays.js';

/** An operation on integers or booleans with its exact result. */
export interface ExactCase<Names extends string = string> {
  readonly name: string;
  readonly inputs: Readonly<Record<Names, HostArray>>;
  tensor(x: Readonly<Record<Names, tf.Tensor>>): tf.Tensor;
  readonly want: HostArray;
}

const exactCase = <Names extends string>(entry: ExactCase<Names>): ExactCase<Names> => entry;
const WHOLE = 2 ** 24 + 1; // not representable in float32

/** Operations on data types that a backend must not confuse. */
export const exactCases: readonly ExactCase[] = [
  ...(['float32', 'int32', 'bool'] as const).map((dtype) =>
    exactCase({
      name: `one-hot as ${dtype}`,
      inputs: { x: i32([3], [2, 0, 1]) },
      tensor: ({ x }) => tf.oneHot(x, 3, 1, 0, dtype),
      want: { float32: f32, int32: i32, bool }[dtype]([3, 3], [0, 0, 1, 1, 0, 0, 0, 1, 0]),
    }),
  ),
  exactCase({
    name: 'the largest of a row',
    inputs: { x: f32([2, 3], [1, 5, 2, 7, 0, 1]) },
    tensor: ({ x }) => tf.argMax(x, -1),
    want: i32([2], [1, 0]),
  }),
  exactCase({
    name: 'equal integers',
    inputs: { x: i32([3], [1, WHOLE, 2]), y: i32([3], [1, WHOLE - 1, 3]) },
    tensor: ({ x, y }) => tf.equal(x, y),
    want: bool([3], [1, 0, 0]),
  }),
  exactCase({
    name: 'flags as numbers',
    inputs: { x: bool([4], [1, 0, 1, 1]) },
    tensor: ({ x }) => tf.sum(tf.cast(x, 'float32')),
    want: f32([], [3]),
  }),
  exactCase({
    name: 'logic of flags',
    inputs: { x: bool([4], [1, 0, 1, 0]), y: bool([4], [1, 1, 0, 0]) },
    tensor: ({ x, y }) => tf.logicalAnd(tf.logicalOr(x, y), tf.logicalNot(y)),
    want: bool([4], [0, 0, 1, 0]),
  }),
  exactCase({
    name: 'integers added and multiplied',
    inputs: { x: i32([2], [WHOLE, -3]) },
    tensor: ({ x }) => tf.add(tf.mul(x, tf.scalar(2, 'int32')), tf.scalar(1, 'int32')),
    want: i32([2], [2 * WHOLE + 1, -5]),
  }),
  exactCase({
    name: 'rows of integers gathered',
    inputs: { x: i32([3, 2], [1, 2, 3, WHOLE, 5, 6]), at: i32([2], [1, 1]) },
    tensor: ({ x, at }) => tf.gather(x, at),
    want: i32([2, 2], [3, WHOLE, 3, WHOLE]),
  }),
  exactCase({
    name: 'integers sliced, joined, reshaped',
    inputs: { x: i32([2, 2], [1, WHOLE, 3, 4]) },
    tensor: ({ x }) => tf.reshape(tf.concat([tf.slice(x, [0, 1], [2, 1]), x], 1), [6]),
    want: i32([6], [WHOLE, 1, WHOLE, 4, 3, 4]),
  }),
  exactCase({
    name: 'a step turned into a rate',
    inputs: { step: i32([], [3]) },
    tensor: ({ step }) => tf.minimum(tf.div(tf.cast(step, 'float32'), 4), 1),
    want: f32([], [0.75]),
  }),
  exactCase({
    name: 'a comparison that selects',
    inputs: { step: i32([], [3]), x: f32([2], [1, 2]) },
    tensor: ({ step, x }) => tf.where(tf.less(step, tf.scalar(4, 'int32')), x, tf.zerosLike(x)),
    want: f32([2], [1, 2]),
  }),
];
