/** Reshapes and transposes: chained ones once, moved to where they vanish, or into a product's flags. */
import { sizeOf } from '@grok/core';
import { binary, cast, emit, reshape, transpose } from '../builder.js';
import { type Node, sameShape, uniformOf, type Value } from '../graph.js';
import { equalityOf, integers, made } from './match.js';
import { type Rule, rule, type Site } from './rewrite.js';

/** A reshape of a reshape is one; to the same shape it is none. */
export const reshapes: Rule = rule('Reshape', (node, b) => {
  if (node.op !== 'Reshape') return undefined;
  const [x] = node.inputs as [Value];
  const { shape } = node.outputs[0]!;
  if (sameShape(x.shape, shape)) return [x];
  const inner = made(b, x, 'Reshape');
  return inner === undefined ? undefined : [reshape(b, inner.inputs[0]!, shape)];
});

const UNARY = new Set(
  'Abs Neg Exp Log Sqrt Reciprocal Sigmoid Tanh Erf Sin Cos Relu Floor Not'.split(' '),
);
const BINARY = new Set('Add Sub Mul Div Max Min Equal Greater Less And Or'.split(' '));
/**
 * Elementwise nodes work in any shape: those that read reshaped values work before the Reshape, which
 * then meets its opposite further on.
 */
export const reshapesLast: Rule = rule([...UNARY, ...BINARY, 'Cast'].join(' '), (node, b) => {
  const [out] = node.outputs as [Value];
  const source = (value: Value | undefined): Value | undefined => {
    const inner = value === undefined ? undefined : made(b, value, 'Reshape')?.inputs[0];
    // A reshaped input of the graph costs nothing; let it be.
    return inner !== undefined && isComputed(b, inner) ? inner : undefined;
  };
  const [x, y] = node.inputs;
  const from = source(x) ?? source(y);
  if (from === undefined || sizeOf(from.shape) !== sizeOf(out.shape)) return undefined;
  if (UNARY.has(node.op)) return [reshape(b, same(b, node, [from], from.shape), out.shape)];
  if (node.op === 'Cast') return [reshape(b, cast(b, from, out.type), out.shape)];
  if (!BINARY.has(node.op)) return undefined;
  const inputs = [x!, y!].map((value) => {
    const inner = source(value);
    if (inner !== undefined && sameShape(inner.shape, from.shape)) return inner;
    const whole = sizeOf(value.shape) === sizeOf(from.shape);
    if (value.constant !== undefined && whole) return reshape(b, value, from.shape);
    return sizeOf(value.shape) === 1 && value.shape.length === 0 ? value : undefined;
  });
  if (inputs.some((value) => value === undefined)) return undefined;
  return [reshape(b, same(b, node, inputs as Value[], from.shape), out.shape)];
});
const isComputed = (b: Site, value: Value): boolean => b.producer(value) !== undefined;
/** The node again, on other inputs. */
function same(b: Site, node: Node, inputs: readonly Value[], shape: readonly number[]): Value {
  const { type } = node.outputs[0]!;
  return emit(b, node.op, inputs, { type, shape }, node.attributes, node.domain);
}

/** Two transposes are one; one that moves only axes of extent 1 is a reshape. */
export const transposes: Rule = rule('Transpose', (node, b) => {
  if (node.op !== 'Transpose') return undefined;
  const [x] = node.inputs as [Value];
  const perm = node.attributes.perm as readonly number[];
  const { shape } = node.outputs[0]!;
  const long = perm.filter((axis) => x.shape[axis] !== 1);
  if (long.every((axis, i) => i === 0 || long[i - 1]! < axis)) return [reshape(b, x, shape)];
  const inner = made(b, x, 'Transpose');
  if (inner === undefined) return undefined;
  const first = inner.attributes.perm as readonly number[];
  return [
    transpose(
      b,
      inner.inputs[0]!,
      perm.map((axis) => first[axis]!),
    ),
  ];
});

/** Products read a matrix either way round: a transpose before one is a flag. */
export const transposesIntoProducts: Rule = rule('Gemm FusedMatMul MatMul', (node, b) => {
  if (!['Gemm', 'FusedMatMul', 'MatMul'].includes(node.op)) return undefined;
  const [x, y, ...rest] = node.inputs as [Value, Value, ...Value[]];
  if (x.type !== 'float32') return undefined;
  const [p, q] = [swapped(b, x), swapped(b, y)];
  if (p === undefined && q === undefined) return undefined;
  const { transA = 0, transB = 0 } = node.attributes as Record<string, number>;
  const attributes = {
    ...node.attributes,
    transA: p === undefined ? transA : 1 - transA,
    transB: q === undefined ? transB : 1 - transB,
  };
  const own = node.op !== 'Gemm';
  const inputs = [p ?? x, q ?? y, ...rest];
  const [out] = node.outputs as [Value];
  const op = own ? 'FusedMatMul' : 'Gemm';
  return [emit(b, op, inputs, out, attributes, own ? 'com.microsoft' : '')];
});
/** What a transpose of the last two axes was applied to. */
function swapped(b: Site, value: Value): Value | undefined {
  const node = made(b, value, 'Transpose');
  if (node === undefined) return undefined;
  const perm = node.attributes.perm as readonly number[];
  const rank = perm.length;
  const others = perm.slice(0, -2).every((axis, i) => axis === i);
  return others && perm[rank - 1] === rank - 2 ? node.inputs[0] : undefined;
}

/** Zeros around one part plus zeros around the other is both parts side by side: no Pad in slices' gradients. */
export const pads: Rule = rule('Add', (node, b) => {
  if (node.op !== 'Add') return undefined;
  const [x, y] = node.inputs.map((value) => padOf(b, value));
  if (x === undefined || y === undefined || x.axis !== y.axis) return undefined;
  const [first, second] = x.before === 0 ? [x, y] : [y, x];
  const { axis } = first;
  const extent = node.outputs[0]!.shape[axis]!;
  const fits =
    first.before === 0 &&
    second.before === first.inner.shape[axis] &&
    second.before + second.inner.shape[axis]! === extent;
  if (!fits) return undefined;
  return [emit(b, 'Concat', [first.inner, second.inner], node.outputs[0]!, { axis })];
});
/** A Pad with zeros on one axis only. */
function padOf(b: Site, value: Value): { inner: Value; axis: number; before: number } | undefined {
  const node = made(b, value, 'Pad');
  if (node === undefined || b.uses(value) !== 1) return undefined;
  const [inner, , filler] = node.inputs as [Value, Value, Value | undefined];
  if (filler !== undefined && uniformOf(filler) !== 0) return undefined;
  const axes = inner.shape.flatMap((extent, axis) => (extent === value.shape[axis] ? [] : [axis]));
  if (axes.length !== 1 || node.attributes.mode !== undefined) return undefined;
  const [axis] = axes as [number];
  const pads = integers(node.inputs[1]);
  return pads === undefined ? undefined : { inner, axis, before: pads[axis]! };
}
/** Rows over which a product that sums over them pays for a transpose of its smaller operand. */
const MANY_ROWS = 1024;
/** Columns of the larger operand from which it does. */
const WIDE = 256;
/** Columns of the larger operand from which reading it by columns costs less than packing it does. */
const VERY_WIDE = 512;
/**
 * `Aᵀ·B` over many rows, the gradient of weights: products read rows faster than columns, so the smaller
 * operand is transposed first; where that is B, the result is computed the other way round. A very wide
 * operand comes first and is read by columns. A one-hot matrix costs nothing to turn: it is made the
 * other way round.
 */
export const longProducts: Rule = rule('Gemm', (node, b) => {
  const { transA = 0, transB = 0 } = node.attributes as Record<string, number>;
  const [x, y, ...start] = node.inputs as [Value, Value, ...Value[]];
  const [rows, m] = x.shape as [number, number];
  const n = y.shape[1]!;
  const attributes = { ...node.attributes, transA: 0 };
  if (transA !== 1 || transB !== 0 || rows < MANY_ROWS || Math.min(m, n) < 32) return undefined;
  const [out] = node.outputs as [Value];
  const hot = turnedHot(b, x);
  if (hot !== undefined) return [emit(b, 'Gemm', [hot, y, ...start], out, attributes)];
  if (Math.max(m, n) < WIDE) return undefined;
  const byColumns = Math.max(m, n) >= VERY_WIDE;
  if (byColumns && m >= n) return undefined;
  if (!byColumns && m <= n)
    return [emit(b, 'Gemm', [transpose(b, x, [1, 0]), y, ...start], out, attributes)];
  if (start.length > 0) return undefined;
  const other = { type: out.type, shape: [n, m] };
  const turned = byColumns
    ? emit(b, 'Gemm', [y, x], other, node.attributes)
    : emit(b, 'Gemm', [transpose(b, y, [1, 0]), x], other, attributes);
  return [transpose(b, turned, [1, 0])];
});
/** The transpose of a one-hot matrix, `ids = classes` as numbers. */
function turnedHot(b: Site, value: Value): Value | undefined {
  const equality = equalityOf(b, value);
  if (equality === undefined) return undefined;
  const { ids, classes } = equality;
  const [n, count] = value.shape as [number, number];
  const turned = [reshape(b, ids, [1, n]), reshape(b, classes, [count, 1])] as const;
  return cast(b, binary(b, 'Equal', ...turned, 'bool'), value.type);
}
