/** Reshapes and transposes: merges chains, moves them to where they cancel, or turns them into a product's flags. */
import { sizeOf } from '@grok/core';
import * as make from '../builder.js';
import { type Node, readUniform, sameShape, type Value } from '../graph.js';
import { integers, listAttribute, oneHot, operand, productFlags } from './inspect.js';
import { any, anyAdd, type Known, named, node, once, op } from './pattern.js';
import { type RewriteSite, type Rule, rule } from './rewrite.js';

const UNARY = 'Abs Neg Exp Log Sqrt Reciprocal Sigmoid Tanh Erf Sin Cos Relu Floor Not Cast';
const BINARY = 'Add Sub Mul Div Max Min Equal Greater Less And Or';

/** Whether a value was computed and then reshaped; a reshaped graph input costs nothing and may stay. */
const isReshaped = (value: Value, known: Known): boolean => {
  const inner = operand(known, value, 'Reshape');
  return inner !== undefined && known.producer(inner) !== undefined;
};
/** Applies the site's node to the values before their reshape to the shape of `like`, then reshapes the result. */
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
 * Merges reshapes and removes those to the same shape. Elementwise nodes work in any shape, so
 * those that read reshaped values move before the Reshape, which may then cancel with its inverse
 * later.
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

/** Finds the operand of a transpose of the last two axes. */
function swapped(known: Known, value: Value): Value | undefined {
  const node = known.producer(value);
  if (node?.op !== 'Transpose') return undefined;
  const perm = listAttribute(node, 'perm');
  const rank = perm.length;
  const others = perm.slice(0, -2).every((axis, i) => axis === i);
  return others && perm[rank - 1] === rank - 2 ? node.inputs[0] : undefined;
}
/**
 * Merges transposes; one that only moves axes of size 1 becomes a reshape. Products can read a
 * transposed matrix, so a transpose before them becomes a flag.
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

/** The sum of two zero-padded parts is their concatenation, which removes Pad from the gradients of slices. */
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
/** The one axis that a zero Pad extends, and the offset of its input on that axis. */
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

/** Number of rows from which transposing the smaller operand of a product over rows pays off. */
const MANY_ROWS = 1024;
/** With fewer columns than this in either operand, it does not. */
const NARROW = 32;
/** Number of columns of the larger operand from which it does. */
const WIDE = 256;
/** Number of columns of the larger operand from which reading it by columns is cheaper than packing it. */
const VERY_WIDE = 512;

/** The columns of both operands of `Aᵀ·B` over many rows. */
function tallColumns(product: Node): readonly [number, number] | undefined {
  const { transA, transB } = productFlags(product);
  const [[rows = 0, m = 0] = [], [, n = 0] = []] = product.inputs.map(({ shape }) => shape);
  const tall = transA === 1 && transB === 0 && rows >= MANY_ROWS && Math.min(m, n) >= NARROW;
  return tall ? [m, n] : undefined;
}
/**
 * `Aᵀ·B` over many rows, as in weight gradients: products read rows faster than columns, so the
 * smaller operand is transposed first; if that is B, the transposed result is computed. A very wide
 * operand comes first and is read by columns. Transposing a one-hot matrix is free, since it is
 * built in the transposed layout.
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
