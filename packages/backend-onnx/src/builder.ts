/**
 * Helpers for writing nodes: each function adds the nodes it needs to a graph and returns the
 * result. Kernels and rewrite rules share them. Shapes and types are always given explicitly, never
 * inferred later.
 */
import { sizeOf } from '@grok/core';
import type { Attribute, Constant, ElementType, Graph, Value } from './graph.js';
import { addValue, broadcast, makeConstant, sameShape } from './graph.js';

/** Receives the nodes. */
export interface Builder {
  readonly graph: Graph;
  /** The tfjs op that is being recorded. */
  readonly source: string;
}
type Attributes = Readonly<Record<string, Attribute>>;
interface Output {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** Adds a node with one output. */
export function emit(
  b: Builder,
  op: string,
  inputs: readonly Value[],
  { type, shape }: Output,
  attributes: Attributes = {},
  domain = '',
): Value {
  const output = addValue(b.graph, type, shape);
  b.graph.nodes.push({ op, domain, inputs, outputs: [output], attributes, source: b.source });
  return output;
}
/** Adds an operator from onnxruntime's own domain (`com.microsoft`). */
export function emitOwn(
  b: Builder,
  op: string,
  inputs: readonly Value[],
  output: Output,
  attributes: Attributes = {},
): Value {
  return emit(b, op, inputs, output, attributes, 'com.microsoft');
}
/** Adds a node with several outputs. */
export function emitMany(
  b: Builder,
  op: string,
  inputs: readonly Value[],
  outputs: readonly Output[],
  attributes: Attributes = {},
): Value[] {
  const values = outputs.map(({ type, shape }) => addValue(b.graph, type, shape));
  b.graph.nodes.push({ op, domain: '', inputs, outputs: values, attributes, source: b.source });
  return values;
}

/** A constant tensor. */
export function addConstant(
  b: Builder,
  type: ElementType,
  shape: readonly number[],
  content: Constant,
): Value {
  return addValue(b.graph, type, shape, content);
}
/** A constant with one number in every element. */
export function fill(
  b: Builder,
  type: ElementType,
  shape: readonly number[],
  uniform: number,
): Value {
  return addConstant(b, type, shape, { uniform });
}
/** A scalar of the type of `like`. */
export function scalarLike(b: Builder, like: Value, value: number): Value {
  return fill(b, like.type, [], value);
}
/** A list of int64 values, which ONNX uses for axes, shapes and indices. */
export function int64s(b: Builder, values: readonly number[]): Value {
  return addConstant(b, 'int64', [values.length], makeConstant(values));
}

/** `op(x)`, with the same shape and, unless given, the same type. */
export function unary(b: Builder, op: string, x: Value, type: ElementType = x.type): Value {
  return emit(b, op, [x], { type, shape: x.shape });
}
/** `op(x, y)` with broadcasting; a number becomes a scalar of the other operand's type. */
export function binary(
  b: Builder,
  op: string,
  x: Value | number,
  y: Value | number,
  type?: ElementType,
): Value {
  const like = typeof x === 'number' ? (y as Value) : x;
  const left = typeof x === 'number' ? scalarLike(b, like, x) : x;
  const right = typeof y === 'number' ? scalarLike(b, like, y) : y;
  const shape = broadcast(left.shape, right.shape);
  return emit(b, op, [left, right], { type: type ?? left.type, shape });
}
export const emitAdd = (b: Builder, x: Value | number, y: Value | number): Value =>
  binary(b, 'Add', x, y);
export const emitSub = (b: Builder, x: Value | number, y: Value | number): Value =>
  binary(b, 'Sub', x, y);
export const emitMul = (b: Builder, x: Value | number, y: Value | number): Value =>
  binary(b, 'Mul', x, y);
export const emitDiv = (b: Builder, x: Value | number, y: Value | number): Value =>
  binary(b, 'Div', x, y);
/** `condition ? x : y`, with broadcasting. */
export function where(b: Builder, condition: Value, x: Value, y: Value): Value {
  const shape = broadcast(condition.shape, broadcast(x.shape, y.shape));
  if (x.type === 'bool')
    return cast(b, where(b, condition, cast(b, x, 'uint8'), cast(b, y, 'uint8')), 'bool');
  return emit(b, 'Where', [condition, x, y], { type: x.type, shape });
}

/** `x` as another type, or `x` itself if it has that type. Numbers are truncated toward zero. */
export function cast(b: Builder, x: Value, type: ElementType): Value {
  if (x.type === type) return x;
  const to = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11 }[type];
  return emit(b, 'Cast', [x], { type, shape: x.shape }, { to });
}
/** `x` in another shape of the same size, or `x` itself if it has that shape. */
export function reshape(b: Builder, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  if (x.constant !== undefined) return addConstant(b, x.type, shape, x.constant);
  // Empty tensors need allowzero, since a 0 in the shape would copy the input's size.
  const zero: Attributes = sizeOf(shape) === 0 ? { allowzero: 1 } : {};
  return emit(b, 'Reshape', [x, int64s(b, shape)], { type: x.type, shape }, zero);
}
/** Permutes axes; `perm[i]` is the input axis that becomes axis i. */
export function transpose(b: Builder, x: Value, perm: readonly number[]): Value {
  if (perm.every((axis, i) => axis === i)) return x;
  const shape = perm.map((axis) => x.shape[axis]!);
  return emit(b, 'Transpose', [x], { type: x.type, shape }, { perm });
}
/** `x` repeated along axes of size 1 to `shape`. */
export function expand(b: Builder, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  if (x.constant?.uniform !== undefined) return fill(b, x.type, shape, x.constant.uniform);
  return emit(b, 'Expand', [x, int64s(b, shape)], { type: x.type, shape });
}
/** `x[begin : begin + size]` on every axis. */
export function slice(
  b: Builder,
  x: Value,
  begin: readonly number[],
  size: readonly number[],
): Value {
  if (sameShape(x.shape, size)) return x;
  const axes = size.flatMap((extent, axis) => (extent === x.shape[axis] ? [] : [axis]));
  const starts = axes.map((axis) => begin[axis]!);
  const ends = axes.map((axis) => begin[axis]! + size[axis]!);
  const inputs = [x, int64s(b, starts), int64s(b, ends), int64s(b, axes)];
  return emit(b, 'Slice', inputs, { type: x.type, shape: [...size] });
}
/** Concatenates tensors on `axis`. */
export function concat(b: Builder, parts: readonly Value[], axis: number): Value {
  const [first] = parts as readonly [Value, ...Value[]];
  if (parts.length === 1) return first;
  const shape = [...first.shape];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  return emit(b, 'Concat', parts, { type: first.type, shape }, { axis });
}
/** Entries of `x` along `axis`, selected by `indices`. */
export function gather(b: Builder, x: Value, indices: Value, axis: number): Value {
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return emit(b, 'Gather', [x, indices], { type: x.type, shape }, { axis });
}
/** Clamps ids outside `0 … segments − 1` to an extra last row, which −1, counted from the end, also refers to. */
export function clampToDummyRow(b: Builder, ids: Value, segments: number): Value {
  const bounds = [fill(b, ids.type, [], -1), fill(b, ids.type, [], segments)];
  return emit(b, 'Clip', [ids, ...bounds], ids);
}
/** A reduction, such as `ReduceSum`, over `axes`. */
export function reduce(
  b: Builder,
  op: string,
  x: Value,
  axes: readonly number[],
  keepDims: boolean,
): Value {
  const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  const shape = keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
  // Without axes, ONNX would reduce all of them.
  if (axes.length === 0) return x;
  const inputs = [x, int64s(b, axes)];
  return emit(b, op, inputs, { type: x.type, shape }, { keepdims: keepDims ? 1 : 0 });
}
