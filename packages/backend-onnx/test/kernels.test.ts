/**
 * Every kernel against tfjs's cpu backend, with gradients where tfjs has them. Catches: a wrong
 * ONNX operator, attribute, shape or result type; a gradient that uses a kernel wrongly.
 */
import type { Backend } from '@grok/core';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backend, bools, exactly, expectLikeCpu, floats, ints, runOnnx } from './helpers.js';
import { type Case, gathered, moved } from './moving-cases.js';

/** tfjs's operations by name. */
const ops: typeof tf = { ...tf };
let on: Backend;
beforeAll(async () => {
  on = await backend();
});
afterAll(() => on.dispose());

const x = () => ({ x: floats([3, 4]) });
const positive = () => ({ x: floats([3, 4], 0.1, 3) });
const unit = () => ({ x: floats([3, 4], -0.9, 0.9) });
const pair = () => ({ a: floats([3, 4]), b: floats([4]) });
const whole = () => ({ a: ints([3, 4]), b: ints([3, 4], 1, 5) });

const unary: Case[] = [
  ...(
    [
      'abs',
      'neg',
      'square',
      'exp',
      'sigmoid',
      'tanh',
      'sin',
      'cos',
      'erf',
      'softplus',
      'elu',
      'selu',
      'relu',
      'relu6',
      'sinh',
      'cosh',
      'atan',
      'asinh',
      'expm1',
      'floor',
      'ceil',
      'round',
      'sign',
    ] as const
  ).map((name): Case => [name, (t) => ops[name](t.x), x(), 'grad']),
  ...(['log', 'sqrt', 'rsqrt', 'reciprocal', 'log1p'] as const).map(
    (name): Case => [name, (t) => ops[name](t.x), positive(), 'grad'],
  ),
  ...(['asin', 'acos', 'atanh', 'tan'] as const).map(
    (name): Case => [name, (t) => ops[name](t.x), unit(), 'grad'],
  ),
  ['acosh', (t) => tf.acosh(t.x), { x: floats([5], 1.2, 4) }, 'grad'],
  ['expm1 near zero', (t) => tf.mul(tf.expm1(t.x), 1e6), { x: floats([9], -1e-6, 1e-6) }],
  ['log1p near zero', (t) => tf.mul(tf.log1p(t.x), 1e6), { x: floats([9], -1e-6, 1e-6) }],
  ['leakyRelu', (t) => tf.leakyRelu(t.x, 0.3), x(), 'grad'],
  ['prelu', (t) => tf.prelu(t.x, t.a), { x: floats([3, 4]), a: floats([4]) }, 'grad'],
  ['clipByValue', (t) => tf.clipByValue(t.x, -0.5, 1), x(), 'grad'],
  ['step with alpha', (t) => tf.step(t.x, 0.25), x()],
  ['exp of int32 is float32', (t) => tf.exp(t.x), { x: ints([4]) }],
  ['abs and neg of int32', (t) => tf.neg(tf.abs(t.x)), { x: ints([6]) }],
  ['relu of int32', (t) => tf.relu(t.x), { x: ints([6]) }],
  ['isNaN', (t) => tf.isNaN(tf.log(t.x)), x()],
  ['isInf', (t) => tf.isInf(tf.div(t.x, 0)), x()],
  ['isFinite', (t) => tf.isFinite(tf.div(t.x, tf.relu(t.x))), x()],
];
const binary: Case[] = [
  ...(['add', 'sub', 'mul'] as const).map(
    (name): Case => [name, (t) => ops[name](t.a, t.b), pair(), 'grad'],
  ),
  ['div', (t) => tf.div(t.a, t.b), { a: floats([3, 4]), b: floats([4], 0.5, 2) }, 'grad'],
  ['pow', (t) => tf.pow(t.a, t.b), { a: floats([3, 4], 0.2, 2), b: floats([4]) }, 'grad'],
  ['mod', (t) => tf.mod(t.a, t.b), pair()],
  ['atan2', (t) => tf.atan2(t.a, t.b), pair(), 'grad'],
  [
    'atan2 on the axes',
    (t) => tf.atan2(t.a, t.b),
    { a: exactly('float32', [4], [1, -1, 0, 0]), b: exactly('float32', [4], [0, 0, 1, -1]) },
  ],
  ['floorDiv of floats', (t) => tf.floorDiv(t.a, t.b), pair()],
  ...(
    [
      'add',
      'sub',
      'mul',
      'maximum',
      'minimum',
      'mod',
      'floorDiv',
      'squaredDifference',
      'pow',
    ] as const
  ).map((name): Case => [`${name} of int32`, (t) => ops[name](t.a, t.b), whole()]),
  [
    'div of int32 floors',
    (t) => tf.div(t.a, t.b),
    {
      a: ints([20], -9, 10),
      b: exactly(
        'int32',
        [20],
        Array.from({ length: 20 }, (_, i) => (i % 2 ? 3 : -4)),
      ),
    },
  ],
  [
    'mod of signed int32',
    (t) => tf.mod(t.a, t.b),
    {
      a: ints([20], -9, 10),
      b: exactly(
        'int32',
        [20],
        Array.from({ length: 20 }, (_, i) => (i % 2 ? 3 : -4)),
      ),
    },
  ],
  ['addN', (t) => tf.addN([t.a, t.b, t.a]), { a: floats([3]), b: floats([3]) }, 'grad'],
  ['bitwiseAnd', (t) => tf.bitwiseAnd(t.a, t.b), { a: ints([6], 0, 16), b: ints([6], 0, 16) }],
  ['int32 and float32 add to float32', (t) => tf.add(t.a, t.b), { a: ints([3]), b: floats([3]) }],
];
const compared: Case[] = [
  ...(['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'] as const).flatMap(
    (name): Case[] => [
      [name, (t) => ops[name](t.a, t.b), pair()],
      [`${name} of int32`, (t) => ops[name](t.a, t.b), { a: ints([9], 0, 3), b: ints([9], 0, 3) }],
      [`${name} of bool`, (t) => ops[name](t.a, t.b), { a: bools([9]), b: bools([9]) }],
    ],
  ),
  ...(['logicalAnd', 'logicalOr', 'logicalXor'] as const).map(
    (name): Case => [name, (t) => ops[name](t.a, t.b), { a: bools([9]), b: bools([9]) }],
  ),
  ['logicalNot', (t) => tf.logicalNot(t.a), { a: bools([9]) }],
  [
    'where',
    (t) => tf.where(t.c, t.a, t.b),
    { c: bools([3, 4]), a: floats([3, 4]), b: floats([3, 4]) },
    'grad',
  ],
  ['where of int32', (t) => tf.where(t.c, t.a, t.b), { c: bools([6]), a: ints([6]), b: ints([6]) }],
  [
    'where of bool',
    (t) => tf.where(t.c, t.a, t.b),
    { c: bools([6]), a: bools([6]), b: bools([6]) },
  ],
  ['where broadcast', (t) => tf.where(t.c, t.a, 0), { c: bools([4]), a: floats([3, 4]) }, 'grad'],
];
const reduced: Case[] = [
  ...(['sum', 'mean', 'max', 'min'] as const).flatMap((name): Case[] => [
    [`${name} of an axis`, (t) => ops[name](t.x, 1), { x: floats([2, 3, 4]) }, 'grad'],
    [
      `${name} of two axes, kept`,
      (t) => ops[name](t.x, [0, -1], true),
      { x: floats([2, 3, 4]) },
      'grad',
    ],
    [`${name} of all`, (t) => ops[name](t.x), x(), 'grad'],
    [`${name} of int32`, (t) => ops[name](t.x, 0), { x: ints([3, 4]) }],
  ]),
  ['prod', (t) => tf.prod(t.x, 1), x()],
  ['prod of all', (t) => tf.prod(t.x), x()],
  ['prod of int32', (t) => tf.prod(t.x, 0), { x: ints([3, 4]) }],
  ['sum of bool is int32', (t) => tf.sum(t.x, 0), { x: bools([5, 3]) }],
  ['mean of bool', (t) => tf.mean(tf.cast(t.x, 'int32'), 0), { x: bools([5, 3]) }],
  ['all', (t) => tf.all(t.x, 1), { x: bools([5, 3], 0.8) }],
  ['any', (t) => tf.any(t.x, 1), { x: bools([5, 3], 0.3) }],
  ['argMax', (t) => tf.argMax(t.x, -1), x()],
  ['argMin of int32', (t) => tf.argMin(t.x, 0), { x: ints([5, 4]) }],
  ['softmax', (t) => tf.softmax(t.x), x(), 'grad'],
  ['logSoftmax', (t) => tf.logSoftmax(t.x), x(), 'grad'],
  ['logSumExp', (t) => tf.logSumExp(t.x, -1), x(), 'grad'],
  ['cumsum', (t) => tf.cumsum(t.x, 1, true, true), x(), 'grad'],
  ['topk values', (t) => tf.topk(t.x, 2).values, { x: floats([3, 7]) }],
  ['topk indices', (t) => tf.topk(t.x, 2).indices, { x: floats([3, 7]) }],
  ['norm', (t) => tf.norm(t.x, 'euclidean', 1), x(), 'grad'],
  ['moments', (t) => tf.moments(t.x, 1).variance, x(), 'grad'],
];
const products: Case[] = [
  ...[false, true].flatMap((p) =>
    [false, true].flatMap((q): Case[] => [
      [
        `matMul ${p} ${q}`,
        (t) => tf.matMul(t.a, t.b, p, q),
        { a: floats(p ? [4, 3] : [3, 4]), b: floats(q ? [5, 4] : [4, 5]) },
        'grad',
      ],
      [
        `batched matMul ${p} ${q}`,
        (t) => tf.matMul(t.a, t.b, p, q),
        { a: floats(p ? [6, 4, 3] : [6, 3, 4]), b: floats(q ? [6, 5, 4] : [6, 4, 5]) },
        'grad',
      ],
      [
        `matMul broadcast over the batch ${p} ${q}`,
        (t) => tf.matMul(t.a, t.b, p, q),
        { a: floats(p ? [6, 4, 3] : [6, 3, 4]), b: floats(q ? [1, 5, 4] : [1, 4, 5]) },
      ],
    ]),
  ),
  [
    'four-dimensional matMul',
    (t) => tf.matMul(t.a, t.b, false, true),
    { a: floats([2, 3, 4, 5]), b: floats([2, 3, 6, 5]) },
    'grad',
  ],
  ['matMul of int32', (t) => tf.matMul(t.a, t.b, true), { a: ints([4, 3]), b: ints([4, 2]) }],
  ['dot', (t) => tf.dot(t.a, t.b), { a: floats([4]), b: floats([4]) }, 'grad'],
  [
    'einsum',
    (t) => tf.einsum('bij,bjk->bik', t.a, t.b),
    { a: floats([2, 3, 4]), b: floats([2, 4, 5]) },
  ],
  [
    'fused matMul',
    (t) => tf.fused.matMul({ a: t.a, b: t.b, bias: t.c, activation: 'relu' }),
    { a: floats([3, 4]), b: floats([4, 2]), c: floats([2]) },
  ],
];
describe.each([
  ['elementwise', unary],
  ['binary', binary],
  ['comparisons', compared],
  ['reductions', reduced],
  ['products', products],
  ['shapes', moved],
  ['gathers', gathered],
] as const)('%s matches cpu', (_, cases) => {
  test.each(cases as Case[])('%s', async (_name, fn, hosts, gradients) => {
    await expectLikeCpu(fn, hosts, { gradients: gradients === 'grad', on });
  });
});

test('an unsupported kernel is named with the op that called it', async () => {
  const wanted = /kernel "Conv2D" \(needed by tf\.conv2d\) is not supported.*MatMul/s;
  await expect(
    runOnnx(
      (t) => ({ y: tf.conv2d(t.x as tf.Tensor4D, t.w as tf.Tensor4D, 1, 'same') }),
      { x: floats([1, 4, 4, 1]), w: floats([2, 2, 1, 1]) },
      on,
    ),
  ).rejects.toThrow(wanted);
});

test('stridedSlice drops the right axis (cpu gives 0 and 8)', async () => {
  const x = exactly(
    'float32',
    [3, 4],
    Array.from({ length: 12 }, (_, i) => i),
  );
  const { y } = await runOnnx(
    (t) => ({ y: tf.stridedSlice(t.x, [0, 1], [3, 4], [2, 1], 0, 0, 0, 0, 2) }),
    { x },
    on,
  );
  expect([...y!.data]).toEqual([1, 9]);
});
