/** Reshapes and transposes: chained ones once, moved to where they vanish, or into a product's flags. */
import { sizeOf } from '@grok/core';
import * as make from '../builder.js';
import { type Node, readUniform, sameShape, type Value } from '../graph.js';
import { integers, listAttribute, oneHot, operand, productFlags } from './inspect.js';
import { any, anyAdd, type Known, named, node, once, op } from './pattern.js';
import { type RewriteSite, type Rule, rule } from './rewrite.js';

const UNARY = 'Abs Neg Exp Log Sqrt Reciprocal Sigmoid Tanh Erf Sin Cos Relu Floor Not Cast';
const BINARY = 'Add Sub Mul Div Max Min Equal Greater Less And Or';

/** A value that was computed and then reshaped; a reshaped input of the graph costs nothing and may stay. */
const isReshaped = (value: Value, known: Known): boolean => {
  const inner = operand(known, value, 'Reshape');
  return inner !== undefined && known.producer(inner) !== undefined;
};
/** The node of the site again on values as they were before they were reshaped like `like`; then reshaped. */
function reshapeAfter(b: RewriteSite, values: readonly Value[], like: Value): Value | undefined {
  const shape = operand(b, like, 'Reshape')?.shape ?? [];
  if (sizeOf(shape) !== sizeOf(b.out.shape)) return undefined;
  const inputs = values.flatMap((value) => {
    const inner = isReshaped(value, b) ? operand(b, value, 'Reshape') : undefined;
    if (inner !== undefined && sameShape(inner.shape, shape)) return inner;
    const whole = sizeOf(value.shape) === sizeOf(shape);
    if (value.constant !== undefined && whole) return make.reshape(b, value, shape);
    return value.shape.length === 0 ? value : [];
  });
  if (inputs.length < values.length) return undefined;
  const { op, attributes, domain } = b.node;
  const again = make.emit(b, op, inputs, { type: b.out.type, shape }, attributes, domain);
  return make.reshape(b, again, b.out.shape);
}
/**
 * A reshape of a reshape is one; to the same shape it is none. Elementwise nodes work in any shape: those
 * that read reshaped values work before the Reshape, which then meets its opposite further on.
 */
export const reshapes: readonly Rule[] = [
  rule(op('Reshape', 'x'), ({ x }, b) => (sameShape(x.shape, b.out.shape) ? x : undefined)),
  rule(op('Reshape', op('Reshape', 'x')), ({ x }, b) => make.reshape(b, x, b.out.shape)),
  rule(op(UNARY, any('x', isReshaped)), ({ x }, b) => reshapeAfter(b, [x], x)),
  rule(op(BINARY, any('x', isReshaped), 'y'), ({ x, y }, b) => reshapeAfter(b, [x, y], x)),
  rule(op(BINARY, 'x', any('y', isReshaped)), ({ x, y }, b) =>
    isReshaped(x, b) ? undefined : reshapeAfter(b, [x, y], y),
  ),
];

/** What a transpose of the last two axes was applied to. */
function swapped(known: Known, value: Value): Value | undefined {
  const node = known.producer(value);
  if (node?.op !== 'Transpose') return undefined;
  const perm = listAttribute(node, 'perm');
  const rank = perm.length;
  const others = perm.slice(0, -2).every((axis, i) => axis === i);
  return others && perm[rank - 1] === rank - 2 ? node.inputs[0] : undefined;
}
/**
 * Two transposes are one; one that moves only axes of extent 1 is a reshape. Products read a matrix either
 * way round: a transpose before one is a flag.
 */
export const transposes: readonly Rule[] = [
  rule(op('Transpose', 'x'), ({ x }, b) => {
    const long = listAttribute(b.node, 'perm').filter((axis) => x.shape[axis] !== 1);
    const inOrder = long.every((axis, i) => axis > (long[i - 1] ?? -1));
    return inOrder ? make.reshape(b, x, b.out.shape) : undefined;
  }),
  rule(op('Transpose', node('inner', op('Transpose', 'x'))), ({ inner, x }, b) => {
    const first = listAttribute(inner, 'perm');
    const perm = listAttribute(b.node, 'perm').flatMap((axis) => first[axis] ?? []);
    return make.transpose(b, x, perm);
  }),
  rule(op('Gemm FusedMatMul MatMul', 'x', 'y'), ({ x, y }, b) => {
    const [p, q] = x.type === 'float32' ? [swapped(b, x), swapped(b, y)] : [];
    if (p === undefined && q === undefined) return undefined;
    const { transA, transB } = productFlags(b.node);
    const flags = {
      transA: p === undefined ? transA : 1 - transA,
      transB: q === undefined ? transB : 1 - transB,
    };
    const inputs = [p ?? x, q ?? y, ...b.node.inputs.slice(2)];
    const write = b.node.op === 'Gemm' ? make.emit : make.emitOwn;
    const name = b.node.op === 'Gemm' ? 'Gemm' : 'FusedMatMul';
    return write(b, name, inputs, b.out, { ...b.node.attributes, ...flags });
  }),
];

/** Zeros around one part plus zeros around the other is both parts side by side: no Pad in slices' gradients. */
export const pads: readonly Rule[] = [
  rule(
    anyAdd(once(node('p', op('Pad', 'first'))), once(node('q', op('Pad', 'second')))),
    ({ p, q, first, second }, b) => {
      const [before, after] = [paddedAxis(p), paddedAxis(q)];
      if (before?.start !== 0 || after?.axis !== before.axis) return undefined;
      const { axis } = before;
      const [m = 0, n = 0] = [first.shape[axis], second.shape[axis]];
      if (after.start !== m || m + n !== b.out.shape[axis]) return undefined;
      return make.concat(b, [first, second], axis);
    },
  ),
];
/** The one axis that a Pad with zeros pads, and where its input starts on it. */
function paddedAxis(pad: Node): { axis: number; start: number } | undefined {
  const { inputs, outputs, attributes } = pad;
  const [inner, starts, filler] = inputs;
  if (attributes.mode !== undefined || (filler !== undefined && readUniform(filler) !== 0))
    return undefined;
  const axes = inner?.shape.flatMap((n, axis) => (n === outputs[0]?.shape[axis] ? [] : axis)) ?? [];
  const [axis = 0] = axes;
  const start = integers(starts)?.[axis];
  return axes.length !== 1 || start === undefined ? undefined : { axis, start };
}

/** Rows over which a product that sums over them pays for a transpose of its smaller operand. */
const MANY_ROWS = 1024;
/** Columns of either operand below which it does not. */
const NARROW = 32;
/** Columns of the larger operand from which it does. */
const WIDE = 256;
/** Columns of the larger operand from which reading it by columns costs less than packing it does. */
const VERY_WIDE = 512;

/** The columns of both operands of `Aᵀ·B` over many rows. */
function tallColumns(product: Node): readonly [number, number] | undefined {
  const { transA, transB } = productFlags(product);
  const [[rows = 0, m = 0] = [], [, n = 0] = []] = product.inputs.map(({ shape }) => shape);
  const tall = transA === 1 && transB === 0 && rows >= MANY_ROWS && Math.min(m, n) >= NARROW;
  return tall ? [m, n] : undefined;
}
/**
 * `Aᵀ·B` over many rows, the gradient of weights: products read rows faster than columns, so the smaller
 * operand is transposed first; where that is B, the result is computed the other way round. A very wide
 * operand comes first and is read by columns. A one-hot matrix costs nothing to turn: it is made the
 * other way round.
 */
export const tallGemm: readonly Rule[] = [
  rule(op('Gemm', named('x', oneHot), 'y'), ({ x, ids, classes, y }, b) => {
    if (tallColumns(b.node) === undefined) return undefined;
    const row = make.reshape(b, ids, [1, ...ids.shape.slice(0, 1)]);
    const column = make.reshape(b, classes, [...classes.shape, 1]);
    const equal = make.binary(b, 'Equal', row, column, 'bool');
    const inputs = [make.cast(b, equal, x.type), y, ...b.node.inputs.slice(2)];
    return make.emit(b, 'Gemm', inputs, b.out, { ...b.node.attributes, transA: 0 });
  }),
  rule(op('Gemm', 'x', 'y'), ({ x, y }, b) => {
    const [m = 0, n = 0] = tallColumns(b.node) ?? [];
    if (Math.max(m, n) < WIDE) return undefined;
    const start = b.node.inputs.slice(2);
    const byColumns = Math.max(m, n) >= VERY_WIDE;
    if (byColumns && m >= n) return undefined;
    const attributes = { ...b.node.attributes, transA: 0 };
    if (!byColumns && m <= n)
      return make.emit(b, 'Gemm', [make.transpose(b, x, [1, 0]), y, ...start], b.out, attributes);
    if (start.length > 0) return undefined;
    const other = { type: b.out.type, shape: [n, m] };
    const turned = byColumns
      ? make.emit(b, 'Gemm', [y, x], other, b.node.attributes)
      : make.emit(b, 'Gemm', [make.transpose(b, y, [1, 0]), x], other, attributes);
    return make.transpose(b, turned, [1, 0]);
  }),
];
