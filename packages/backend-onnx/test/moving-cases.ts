/** Test cases of kernels that move elements: shapes, slices, gathers and scatters, and compositions of them. */
import * as tf from '@grok/tfjs';
import { bools, exactly, floats, type Hosts, ints, type Tensors } from './helpers.js';

/** A function of tensors, its inputs, and whether its gradients are compared too. */
export type Case = [name: string, fn: (t: Tensors) => tf.Tensor, hosts: Hosts, gradients?: 'grad'];
const x = () => ({ x: floats([3, 4]) });

export const moved: Case[] = [
  ['reshape', (t) => tf.mul(tf.reshape(tf.reshape(t.x, [12]), [2, -1]), 2), x(), 'grad'],
  ['expandDims, squeeze', (t) => tf.squeeze(tf.exp(tf.expandDims(t.x, -1))), x(), 'grad'],
  ['transpose', (t) => tf.transpose(t.x, [2, 0, 1]), { x: floats([2, 3, 4]) }, 'grad'],
  ['slice', (t) => tf.slice(t.x, [0, 1, 2], [-1, 2, 1]), { x: floats([2, 3, 4]) }, 'grad'],
  ['slice whole', (t) => tf.slice(t.x, [0, 0], [-1, -1]), x(), 'grad'],
  ['stridedSlice', (t) => tf.stridedSlice(t.x, [0, 3], [3, 0], [2, -1]), x()],
  ['stridedSlice to the first', (t) => tf.stridedSlice(t.x, [0, 3], [3, 0], [1, -2], 0, 2), x()],
  ['reverse', (t) => tf.reverse(t.x, [0, -1]), x(), 'grad'],
  [
    'pad',
    (t) =>
      tf.pad(
        t.x,
        [
          [1, 0],
          [0, 2],
        ],
        3,
      ),
    x(),
    'grad',
  ],
  ['pad of int32', (t) => tf.pad(t.x, [[1, 2]], 7), { x: ints([3]) }],
  [
    'mirrorPad',
    (t) =>
      tf.mirrorPad(
        t.x,
        [
          [1, 1],
          [2, 0],
        ],
        'reflect',
      ),
    x(),
  ],
  ['concat', (t) => tf.concat([t.a, t.b], -1), { a: floats([2, 3]), b: floats([2, 1]) }, 'grad'],
  ['stack', (t) => tf.stack([t.a, t.b], 1), { a: floats([2, 3]), b: floats([2, 3]) }, 'grad'],
  ['unstack', (t) => tf.unstack(t.x, 1)[2]!, x(), 'grad'],
  ['split', (t) => tf.split(t.x, [1, 3], 1)[1]!, x(), 'grad'],
  ['tile', (t) => tf.tile(t.x, [2, 3]), x(), 'grad'],
  ['broadcastTo', (t) => tf.broadcastTo(t.x, [3, 4]), { x: floats([1, 4]) }, 'grad'],
  [
    'spaceToBatchND',
    (t) =>
      tf.spaceToBatchND(
        t.x,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    { x: floats([1, 4, 4, 3]) },
    'grad',
  ],
  [
    'batchToSpaceND',
    (t) =>
      tf.batchToSpaceND(
        t.x,
        [2, 2],
        [
          [0, 1],
          [1, 0],
        ],
      ),
    { x: floats([4, 2, 2, 3]) },
    'grad',
  ],
  ['zerosLike, onesLike', (t) => tf.add(tf.zerosLike(t.x), tf.onesLike(t.x)), { x: ints([300]) }],
  ['fill', (t) => tf.add(t.x, tf.fill([3, 4], 2.5)), x()],
  ['range', (t) => tf.add(t.x, tf.range(0, 4, 1, 'int32')), x()],
  ['linspace', (t) => tf.add(t.x, tf.linspace(0, 1, 4)), x()],
  ['diag', (t) => tf.diag(t.x), { x: floats([5]) }],
  ['eye', (t) => tf.matMul(t.x, tf.eye(4)), x()],
  [
    'casts',
    (t) => tf.cast(tf.cast(tf.cast(t.x, 'int32'), 'bool'), 'float32'),
    { x: floats([40], -3, 3) },
  ],
  [
    'a mask cast to float',
    (t) => tf.mul(t.x, tf.cast(t.c, 'float32')),
    { x: floats([3, 4]), c: bools([3, 4]) },
    'grad',
  ],
];
export const gathered: Case[] = [
  [
    'gather',
    (t) => tf.gather(t.x, t.i as tf.Tensor1D),
    { x: floats([5, 3]), i: ints([7], 0, 5) },
    'grad',
  ],
  [
    'gather by a matrix on axis 1',
    (t) => tf.gather(t.x, t.i as tf.Tensor1D, 1),
    { x: floats([2, 5, 3]), i: ints([2, 3], 0, 5) },
    'grad',
  ],
  [
    'gather within a batch',
    (t) => tf.gather(t.x, t.i as tf.Tensor1D, 1, 1),
    { x: floats([2, 5, 3]), i: ints([2, 4], 0, 5) },
  ],
  [
    'gather within a batch, axis 2',
    (t) => tf.gather(t.x, t.i as tf.Tensor1D, 2, 1),
    { x: floats([2, 3, 5]), i: ints([2, 4], 0, 5) },
  ],
  ['gatherND', (t) => tf.gatherND(t.x, t.i), { x: floats([3, 4, 2]), i: ints([5, 2], 0, 3) }],
  [
    'scatterND adds up',
    (t) => tf.scatterND(t.i, t.x, [6, 2]),
    { x: floats([9, 2]), i: ints([9, 1], 0, 6) },
  ],
  [
    'scatterND of int32',
    (t) => tf.scatterND(t.i, t.x, [3, 3]),
    { x: ints([9]), i: ints([9, 2], 0, 3) },
  ],
  [
    'tensorScatterUpdate',
    (t) => tf.tensorScatterUpdate(t.x, t.i, t.u),
    { x: floats([6]), i: exactly('int32', [3, 1], [4, 0, 2]), u: floats([3]) },
  ],
  [
    'unsortedSegmentSum',
    (t) => tf.unsortedSegmentSum(t.x, t.i as tf.Tensor1D, 4),
    { x: floats([9, 2]), i: ints([9], 0, 4) },
    'grad',
  ],
  ['oneHot', (t) => tf.oneHot(t.i, 4), { i: ints([9], -1, 5) }],
  ['oneHot with values', (t) => tf.oneHot(t.i, 4, 0.9, 0.1, 'float32'), { i: ints([2, 3], 0, 4) }],
  [
    'softmax cross-entropy',
    (t) => tf.losses.softmaxCrossEntropy(tf.oneHot(t.i, 6), t.x),
    { x: floats([5, 6]), i: ints([5], 0, 6) },
    'grad',
  ],
  [
    'batchNorm',
    (t) => tf.batchNorm(t.x, t.m, t.v, t.o, t.s),
    { x: floats([3, 4]), m: floats([4]), v: floats([4], 0.5, 2), o: floats([4]), s: floats([4]) },
    'grad',
  ],
];
