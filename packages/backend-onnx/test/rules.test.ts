/**
 * The rewrite rules: each matches where it should, can be disabled by name, and changes no result.
 * Catches: a wrong rule, one that no longer recognizes its pattern, a switch without effect.
 */
import type { Backend } from '@grok/core';
import { type OnDevice, readTree, uploadTree } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { describe, expect, test } from 'vitest';
import { type OnnxProgram, ruleNames } from '../src/index.js';
import {
  backend,
  bools,
  expectSame,
  floats,
  type Hosts,
  ints,
  runCpu,
  type Tensors,
} from './helpers.js';

type Fn = (t: Tensors) => Readonly<Record<string, tf.Tensor>>;
type Counts = Readonly<Record<string, number>>;

/** Counts of the compiled graph's operators, and its results. */
async function compiled(fn: Fn, hosts: Hosts, rules: Record<string, boolean> = {}) {
  const on: Backend = await backend({ rules });
  const inputs = uploadTree(on, hosts) as OnDevice<Tensors>;
  const program = (await on.compile('rules', fn, inputs)) as OnnxProgram<Tensors, ReturnType<Fn>>;
  const ops: Record<string, number> = { nodes: program.graph.nodes.length };
  for (const { op } of program.graph.nodes) ops[op] = (ops[op] ?? 0) + 1;
  const numbers = await readTree(on, await program.run(inputs));
  const { views, joins } = program.graph;
  await on.dispose();
  return {
    ops: { ...ops, views: views.length, joins: joins.length } as Counts,
    numbers,
  };
}

interface Case {
  readonly rule: string;
  readonly what: string;
  readonly hosts: Hosts;
  readonly fn: Fn;
  /** Counts of operators with all rules; `off` is without this one. */
  readonly on: Counts;
  readonly off: Counts;
  /** Switches of other rules, the same on both sides. */
  readonly beside?: Readonly<Record<string, boolean>>;
}

const x = (...shape: number[]) => ({ x: floats(shape, 0.2, 2) });
const rms = (v: tf.Tensor) => tf.mul(v, tf.rsqrt(tf.add(tf.mean(tf.square(v), -1, true), 1e-6)));
function rotate(v: tf.Tensor, sign = 1): tf.Tensor {
  const [, positions, , width] = v.shape as [number, number, number, number];
  const angle = (i: number) => Math.floor(i / width) / 10 ** ((i % (width / 2)) / width);
  const table = (f: (i: number) => number) =>
    tf.tensor(
      Float32Array.from({ length: positions * width }, (_, i) => f(i)),
      [positions, 1, width],
    );
  const cos = table((i) => Math.cos(angle(i)));
  const sin = table((i) => (i % width < width / 2 ? -sign : sign) * Math.sin(angle(i)));
  const halves = tf.gather(tf.reshape(v, [-1, 2, width / 2]), tf.tensor1d([1, 0], 'int32'), 1);
  return tf.add(tf.mul(v, cos), tf.mul(tf.reshape(halves, v.shape), sin));
}

const cases: Case[] = [
  {
    rule: 'constants',
    what: 'arithmetic on constants is done once',
    hosts: x(4),
    fn: (t) => ({ y: tf.mul(t.x, tf.sqrt(tf.add(tf.scalar(2), 7))) }),
    on: { Mul: 1, Sqrt: 0 },
    off: { Mul: 1, Sqrt: 1 },
  },
  {
    rule: 'neutral',
    what: 'nothing is added, nothing multiplied by one, no cast is undone',
    hosts: x(4),
    fn: (t) => ({ y: tf.exp(tf.div(tf.mul(tf.add(t.x, 0), 1), 1)) }),
    on: { nodes: 1 },
    off: { Add: 1, Mul: 1 },
  },
  {
    rule: 'signs',
    what: 'adding a negative subtracts',
    hosts: { a: floats([4]), b: floats([4]) },
    fn: (t) => ({ y: tf.add(t.a, tf.neg(tf.exp(t.b))) }),
    on: { Sub: 1, Neg: 0 },
    off: { Add: 1, Neg: 1 },
  },
  {
    rule: 'broadcasts',
    what: 'operators that broadcast by themselves need no repeated operand',
    hosts: { x: floats([300, 4]), a: floats([1, 4]) },
    fn: (t) => ({ y: tf.mul(t.x, tf.tile(t.a, [300, 1])) }),
    on: { Expand: 0, Mul: 1 },
    off: { Expand: 1, Mul: 1 },
  },
  {
    rule: 'reshapes',
    what: 'reshapes that undo each other vanish',
    hosts: x(6, 4),
    fn: (t) => ({
      y: tf.reshape(tf.exp(tf.reshape(tf.sqrt(t.x), [2, 3, 4])), [6, 4]),
    }),
    on: { Reshape: 0 },
    off: { Reshape: 2 },
  },
  {
    rule: 'transposes',
    what: 'a transposed operand is a flag of the product',
    hosts: { a: floats([5, 3]), b: floats([5, 4]), c: floats([2, 4, 3]), w: floats([2, 5, 3]) },
    fn: (t) => ({
      y: tf.matMul(tf.transpose(t.a), t.b),
      z: tf.matMul(t.c, tf.transpose(t.w, [0, 2, 1])),
    }),
    on: { Transpose: 0 },
    off: { Transpose: 2 },
  },
  {
    rule: 'pads',
    what: 'the gradients of two halves are joined, not padded and added',
    hosts: x(3, 6),
    fn: (t) => ({
      y: tf.grad((v: tf.Tensor) => {
        const [p, q] = [tf.slice(v, [0, 0], [-1, 3]), tf.slice(v, [0, 3], [-1, 3])];
        return tf.sum(tf.mul(tf.exp(p), tf.sin(q)));
      })(t.x),
    }),
    on: { Pad: 0, Concat: 1 },
    off: { Pad: 2, Concat: 0 },
  },
  {
    rule: 'scales',
    what: 'factors become one, or the alpha of a product',
    hosts: { a: floats([3, 4]), b: floats([4, 5]) },
    fn: (t) => ({
      y: tf.mul(tf.matMul(tf.div(t.a, 3), tf.mul(tf.neg(t.b), 2)), 0.5),
      z: tf.mul(tf.mul(tf.exp(t.a), 3), 5),
    }),
    on: { Gemm: 1, Mul: 1, Div: 0, Neg: 0 },
    off: { Gemm: 1, Mul: 3, Div: 1, Neg: 1 },
  },
  {
    rule: 'scales',
    what: 'a factor that two products read is the alpha of both',
    hosts: { a: floats([3, 4]), b: floats([4, 5]) },
    fn: (t) => {
      const third = tf.div(t.a, 3);
      return { y: tf.matMul(third, t.b), z: tf.matMul(third, t.a, false, true) };
    },
    on: { Gemm: 2, Div: 0 },
    off: { Gemm: 2, Div: 1 },
  },
  {
    rule: 'scales',
    what: 'a product with one column keeps its factor outside',
    hosts: { a: floats([3, 4]), c: floats([4, 1]) },
    fn: (t) => ({ y: tf.matMul(tf.div(t.a, 3), t.c) }),
    on: { Gemm: 1, Div: 1 },
    off: { Gemm: 1, Div: 1 },
  },
  {
    rule: 'scalars',
    what: 'factors of one element meet before they meet a tensor',
    hosts: { x: floats([40]), a: floats([]), b: floats([]), c: floats([40], 1, 2) },
    fn: (t) => ({ y: tf.mul(tf.div(tf.mul(t.x, t.a), t.c), t.b) }),
    on: { Mul: 2, Div: 1 },
    off: { Mul: 2, Div: 1 },
  },
  {
    rule: 'decays',
    what: 'decoupled decay is one factor of the parameter',
    hosts: { x: floats([40]), u: floats([40]), a: floats([]) },
    fn: (t) => ({ y: tf.add(t.x, tf.mul(tf.add(tf.sin(t.u), tf.mul(t.x, 0.1)), t.a)) }),
    on: { Mul: 3, Add: 2 },
    off: { Mul: 2, Add: 2 },
  },
  {
    rule: 'silu',
    what: 'x·σ(x) is one operator',
    hosts: x(8),
    fn: (t) => ({ y: tf.mul(t.x, tf.sigmoid(t.x)) }),
    on: { QuickGelu: 1, Sigmoid: 0, Mul: 0 },
    off: { QuickGelu: 0, Sigmoid: 1, Mul: 1 },
  },
  {
    rule: 'rope',
    what: 'rotary positions are one operator, forward and backward, with one head and with several',
    hosts: { a: floats([5, 4, 1, 8]), b: floats([5, 3, 2, 8]), c: floats([1, 6, 1, 8]) },
    // A token table has a position for each of its rows.
    fn: (t) => ({
      y: rotate(tf.neg(t.a)),
      z: rotate(tf.neg(t.b), -1),
      table: tf.reshape(rotate(tf.reshape(tf.neg(t.c), [1, 6, 1, 8])), [6, 8]),
    }),
    on: { RotaryEmbedding: 3, Mul: 0, Gather: 0 },
    off: { RotaryEmbedding: 0, Mul: 6, Gather: 3 },
  },
  {
    rule: 'logSoftmax',
    what: 'a logarithm of softmax is one operator',
    hosts: { x: floats([6, 8], -30, 30) },
    fn: (t) => ({ y: tf.logSoftmax(t.x), sum: tf.log(tf.sum(tf.exp(t.x), 1, true)) }),
    on: { LogSoftmax: 1, Sub: 0, ReduceMax: 0 },
    off: { LogSoftmax: 0, Sub: 2, ReduceMax: 1 },
  },
  {
    rule: 'squareSums',
    what: 'the sum or the mean of all squares is one operator, over an axis it stays as it is',
    hosts: x(6, 8),
    fn: (t) => ({
      sum: tf.sum(tf.square(t.x)),
      mean: tf.mean(tf.square(tf.sin(t.x))),
      rows: tf.sum(tf.square(tf.cos(t.x)), 1),
    }),
    on: { ReduceSumSquare: 2, ReduceSum: 1, ReduceMean: 0 },
    off: { ReduceSumSquare: 0, ReduceSum: 2, ReduceMean: 1 },
  },
  {
    rule: 'rowSums',
    what: 'rows are added by index where one thread does it, and ids out of range to nothing',
    hosts: { x: floats([6, 4]), i: ints([6], -1, 4) },
    fn: (t) => ({
      y: tf.unsortedSegmentSum(t.x, t.i as tf.Tensor1D, 3),
      z: tf.unsortedSegmentSum(tf.square(t.x), tf.sub(t.i, tf.scalar(1, 'int32')), 3),
    }),
    on: { ScatterND: 2, Gemm: 0 },
    off: { ScatterND: 0, Gemm: 2 },
  },
  {
    rule: 'common',
    what: 'the same is computed once',
    hosts: x(8),
    fn: (t) => ({ y: tf.add(tf.mul(tf.exp(t.x), 2), tf.square(tf.exp(t.x))) }),
    on: { Exp: 1 },
    off: { Exp: 2 },
  },
  {
    rule: 'rmsNorm',
    what: 'RMSNorm is one operator that leaves its inverse to the gradient',
    hosts: { x: floats([6, 8]), w: floats([8]) },
    fn: (t) => ({
      y: tf.grad((v: tf.Tensor) => tf.sum(tf.sin(tf.mul(rms(v), t.w))))(t.x),
    }),
    on: { SimplifiedLayerNormalization: 1 },
    off: { SimplifiedLayerNormalization: 0 },
  },
  {
    rule: 'rmsNorm',
    what: 'a norm of a norm reads the one before it',
    hosts: { x: floats([6, 8]), w: floats([8]), u: floats([8]) },
    fn: (t) => ({ y: tf.mul(rms(tf.mul(rms(t.x), t.w)), t.u) }),
    on: { SimplifiedLayerNormalization: 2, ReduceMean: 0 },
    off: { SimplifiedLayerNormalization: 0, ReduceMean: 2 },
  },
  {
    rule: 'sumsIntoProducts',
    what: 'a sum or a difference with a product starts the product from there',
    hosts: { a: floats([3, 4]), b: floats([4, 5]), c: floats([3, 5]), o: floats([5, 4]) },
    fn: (t) => ({
      sum: tf.add(tf.matMul(t.a, t.b), t.c),
      less: tf.sub(tf.mul(tf.matMul(t.a, t.o, false, true), 3), t.c),
      from: tf.sub(t.c, tf.matMul(tf.sin(t.a), t.b)),
    }),
    on: { Gemm: 3, Add: 0, Sub: 0 },
    off: { Gemm: 3, Add: 1, Sub: 2 },
  },
  {
    rule: 'views',
    what: 'parts of an input are fed as they lie in memory',
    hosts: { x: floats([10]), i: ints([2, 3]) },
    fn: (t) => {
      const [p, q] = tf.split(t.x, [4, 6]) as [tf.Tensor, tf.Tensor];
      const y = tf.matMul(tf.reshape(p, [2, 2]), tf.slice(tf.reshape(q, [3, 2]), [1, 0], [2, -1]));
      return { y, z: tf.neg(tf.reshape(t.i, [-1])), again: tf.reshape(q, [2, 3]) };
    },
    on: { Slice: 0, Reshape: 0, views: 4 },
    off: { Slice: 3, views: 0 },
  },
  {
    rule: 'joins',
    what: 'an output of parts is written part by part',
    hosts: { a: floats([3]), b: floats([2, 2]) },
    fn: (t) => ({
      y: tf.concat([tf.exp(t.a), tf.reshape(tf.sin(t.b), [-1]), tf.neg(t.a)]),
    }),
    on: { Concat: 0, joins: 1 },
    off: { Concat: 1, joins: 0 },
  },
  {
    rule: 'gatedAdds',
    what: 'sums with rows that are scaled are one operator, also two of them, where one is taken away, and by one number',
    hosts: {
      ...{ x: floats([6, 16]), y: floats([6, 16]), v: floats([6, 16]) },
      ...{ u: floats([6, 1]), w: floats([6, 1]), s: floats([6, 4]) },
    },
    fn: (t) => ({
      plus: tf.add(t.x, tf.mul(t.y, t.u)),
      minus: tf.sub(tf.sin(t.x), tf.mul(t.w, t.y)),
      both: tf.add(tf.sub(tf.mul(t.y, t.w), tf.mul(t.v, t.u)), t.x),
      alike: tf.add(tf.mul(tf.cos(t.y), 0.3), t.v),
      short: tf.add(t.s, tf.mul(t.s, t.u)),
    }),
    on: { GatedAdd: 5, Add: 1, Sub: 0, Mul: 1 },
    off: { GatedAdd: 0, Add: 4, Sub: 2, Mul: 6 },
  },
  {
    rule: 'tallGemm',
    what: 'a product that sums over many rows reads the smaller operand transposed, the larger as it lies, or a very wide one by columns',
    hosts: {
      a: floats([1024, 32], -0.2, 0.2),
      b: floats([1024, 256], -0.2, 0.2),
      c: floats([1023, 32], -0.2, 0.2),
      w: floats([1024, 512], -0.2, 0.2),
    },
    fn: (t) => ({
      wide: tf.matMul(t.a, t.w, true),
      byColumns: tf.matMul(t.w, t.b, true),
      small: tf.matMul(t.a, t.b, true),
      turned: tf.mul(tf.matMul(t.b, t.a, true), 3),
      short: tf.matMul(t.c, tf.slice(t.b, [0, 0], [1023, -1]) as tf.Tensor2D, true),
      narrow: tf.matMul(t.a, t.a, true),
    }),
    on: { Gemm: 6, Transpose: 3 },
    off: { Gemm: 6, Transpose: 0 },
  },
  {
    rule: 'tallGemm',
    what: 'one-hot rows are made the other way round, and a sum starts from where it stands',
    hosts: { x: floats([1024, 256], -0.2, 0.2), i: ints([1024], -1, 34), s: floats([33, 256]) },
    // A product that is part of an output is written directly to its place.
    fn: (t) => ({
      y: tf.add(tf.unsortedSegmentSum(t.x, t.i as tf.Tensor1D, 33), t.s),
      parts: tf.concat([tf.matMul(t.x, t.x, true), tf.neg(t.s)]),
    }),
    beside: { rowSums: false },
    on: { Gemm: 2, Equal: 1, Transpose: 1, Add: 0, joins: 1 },
    off: { Gemm: 2, Equal: 1, Transpose: 0, Add: 0, joins: 1 },
  },
];

describe.each(cases)('$rule', ({ rule, what, hosts, fn, on, off, beside }) => {
  test(what, async () => {
    const [all, without, wanted] = [
      await compiled(fn, hosts, { ...beside, [rule]: true }),
      await compiled(fn, hosts, { ...beside, [rule]: false }),
      await runCpu(fn, hosts),
    ];
    const matches = (ops: Counts, like: Counts) =>
      Object.fromEntries(Object.keys(like).map((op) => [op, ops[op] ?? 0]));
    expect({ on: matches(all.ops, on), off: matches(without.ops, off) }).toEqual({ on, off });
    expectSame(all.numbers, wanted, 2e-5);
    expectSame(without.numbers, wanted, 2e-5);
  });
});

test('every rule has a case', () => {
  expect([...new Set(cases.map(({ rule }) => rule))].sort()).toEqual([...ruleNames].sort());
});

/** Catches: rules that depend on each other; patterns that only resemble the ones above. */
test('a gated block with dropout gives the same results without any one rule', async () => {
  const hosts = {
    x: floats([12, 8]),
    w: floats([8, 16]),
    u: floats([8, 16]),
    o: floats([16, 8]),
    s: floats([8]),
    m: bools([12, 16], 0.8),
  };
  const fn: Fn = (t) => {
    const loss = (...p: tf.Tensor[]) => {
      const [v, w, u, o, s] = p as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const h = tf.mul(rms(v), s);
      const gate = tf.matMul(h as tf.Tensor2D, w as tf.Tensor2D);
      const silu = tf.mul(gate, tf.sigmoid(gate));
      const gated = tf.mul(silu, tf.matMul(h as tf.Tensor2D, u as tf.Tensor2D));
      const kept = tf.mul(gated, tf.mul(tf.cast(t.m, 'float32'), 1.25));
      const out = tf.add(v, tf.matMul(kept as tf.Tensor2D, o as tf.Tensor2D));
      return tf.neg(tf.mean(tf.logSoftmax(out)));
    };
    const { value, grads } = tf.valueAndGrads(loss)([t.x, t.w, t.u, t.o, t.s]);
    const names = ['x', 'w', 'u', 'o', 's'];
    return { value, ...Object.fromEntries(grads.map((g, i) => [names[i]!, g])) };
  };
  const wanted = await runCpu(fn, hosts);
  for (const rule of ['', ...ruleNames]) {
    const { numbers } = await compiled(fn, hosts, rule === '' ? {} : { [rule]: false });
    expectSame(numbers, wanted, 2e-5);
  }
  const none = Object.fromEntries(ruleNames.map((rule) => [rule, false]));
  expectSame((await compiled(fn, hosts, none)).numbers, wanted, 2e-5);
});
