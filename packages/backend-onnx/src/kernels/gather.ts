/**
 * Kernels that gather rows or sum them by index. Sums by index do not use ScatterND with reduction
 * "add", because it has a race in onnxruntime's CPU provider with more than one thread. The rule
 * `rowSums` uses it with one thread.
 */
import { sizeOf } from '@grok/core';
import { util } from '@grok/tfjs';
import type { Builder } from '../builder.js';
import {
  addConstant,
  binary,
  cast,
  clampToDummyRow,
  emit,
  emitAdd,
  emitMul,
  expand,
  fill,
  gather,
  reduce,
  reshape,
  slice,
  transpose,
  where,
} from '../builder.js';
import { type ElementType, makeConstant, type Value } from '../graph.js';
import type { Kernels } from './types.js';

/** Above this many elements, a one-hot matrix costs more than a slow scatter. */
const ONE_HOT_LIMIT = 1 << 24;
/** So does a one-hot matrix with more segments than this per element of a row. */
const SEGMENTS_AN_ELEMENT = 64;

const count = (b: Builder, extent: number, type: ElementType = 'int32'): Value =>
  addConstant(b, type, [extent], makeConstant(Array.from({ length: extent }, (_, i) => i)));
/** True where `ids[i] === j`, `[ids…, depth]`; ids out of range match nothing. */
function isClass(b: Builder, ids: Value, depth: number): Value {
  const column = reshape(b, ids, [...ids.shape, 1]);
  return binary(b, 'Equal', column, count(b, depth, ids.type), 'bool');
}

/** Sums the rows of `x` [n, …] that share an id [n], `[segments, …]`. */
function segmentSum(b: Builder, x: Value, ids: Value, segments: number): Value {
  const [n, ...rest] = x.shape as [number, ...number[]];
  const width = sizeOf(rest);
  const sparse = width > 0 && segments > SEGMENTS_AN_ELEMENT * width;
  if (sparse || n * segments > ONE_HOT_LIMIT) return scatterSum(b, x, ids, segments);
  const type = x.type === 'float32' ? 'float32' : 'float64';
  const hot = cast(b, isClass(b, ids, segments), type); // [n, segments]
  const rows = reshape(b, cast(b, x, type), [n, width]); // [n, width]
  const shape = [segments, width];
  const sums =
    type === 'float32'
      ? emit(b, 'Gemm', [hot, rows], { type, shape }, { transA: 1, transB: 0 })
      : emit(b, 'MatMul', [transpose(b, hot, [1, 0]), rows], { type, shape });
  return reshape(b, cast(b, sums, x.type), [segments, ...rest]);
}
/** The same with ScatterElements, which adds in order; ids out of range go to an extra row. */
function scatterSum(b: Builder, x: Value, ids: Value, segments: number): Value {
  const [n, ...rest] = x.shape as [number, ...number[]];
  const width = sizeOf(rest);
  const index = expand(b, reshape(b, clampToDummyRow(b, ids, segments), [n, 1]), [n, width]);
  const shape = [segments + 1, width];
  const inputs = [fill(b, x.type, shape, 0), index, reshape(b, x, [n, width])];
  const attributes = { axis: 0, reduction: 'add' };
  const sums = emit(b, 'ScatterElements', inputs, { type: x.type, shape }, attributes);
  return reshape(b, slice(b, sums, [0, 0], [segments, width]), [segments, ...rest]);
}

/** Row numbers of a table `[extents…]` from indices `[…, extents.length]`: Σ index·stride. */
function linear(b: Builder, indices: Value, extents: readonly number[]): Value {
  const strides = util.computeStrides([...extents, 1]);
  const weights = addConstant(b, indices.type, [extents.length], makeConstant(strides));
  const products = emitMul(b, indices, weights);
  return reduce(b, 'ReduceSum', products, [indices.shape.length - 1], false);
}
/** How indices `[…, depth]` address a tensor: as row numbers, with `slice` elements per row. */
function addressed(indices: Value, shape: readonly number[]) {
  const depth = indices.shape.at(-1) ?? 1;
  const rows = sizeOf(shape.slice(0, depth));
  return { depth, rows, slice: shape.slice(depth), extents: shape.slice(0, depth) };
}
const asMatrix = (b: Builder, indices: Value): Value =>
  indices.shape.length === 0 ? reshape(b, indices, [1]) : indices;

export const gathers: Kernels = {
  GatherV2: (b, { x, indices }, attrs: { axis: number; batchDims: number }) => {
    const { batchDims = 0 } = attrs;
    const axis = util.parseAxisParam(attrs.axis, [...x.shape])[0]!;
    if (batchDims === 0) return gather(b, x, indices, axis);
    // One table for all batches: row `index` of batch i is row i·extent + index.
    const batch = sizeOf(x.shape.slice(0, batchDims));
    const outer = x.shape.slice(batchDims, axis);
    const extent = x.shape[axis]!;
    const inner = x.shape.slice(axis + 1);
    const parts = [batch, sizeOf(outer), extent, sizeOf(inner)];
    const table = transpose(b, reshape(b, x, parts), [0, 2, 1, 3]); // [batch, extent, outer, inner]
    const rows = reshape(b, table, [batch * extent, sizeOf(outer), sizeOf(inner)]);
    const chosen = sizeOf(indices.shape.slice(batchDims));
    const offsets = addConstant(
      b,
      indices.type,
      [batch, 1],
      makeConstant(Array.from({ length: batch }, (_, i) => i * extent)),
    );
    const numbers = emitAdd(b, reshape(b, indices, [batch, chosen]), offsets);
    const taken = gather(b, rows, numbers, 0); // [batch, chosen, outer, inner]
    const shape = [
      ...x.shape.slice(0, batchDims),
      ...outer,
      ...indices.shape.slice(batchDims),
      ...inner,
    ];
    return reshape(b, transpose(b, taken, [0, 2, 1, 3]), shape);
  },
  GatherNd: (b, { params, indices: given }) => {
    const indices = asMatrix(b, given);
    const { rows, slice, extents } = addressed(indices, params.shape);
    const table = reshape(b, params, [rows, ...slice]);
    return gather(b, table, linear(b, indices, extents), 0);
  },
  ScatterNd: (b, { indices: given, updates }, { shape }: { shape: number[] }) => {
    const indices = asMatrix(b, given);
    const { rows, slice, extents } = addressed(indices, shape);
    const numbers = linear(b, indices, extents);
    const n = sizeOf(numbers.shape);
    const flat = reshape(b, updates, [n, ...slice]);
    return reshape(b, segmentSum(b, flat, reshape(b, numbers, [n]), rows), shape);
  },
  TensorScatterUpdate: (b, { tensor, indices: given, updates }) => {
    const indices = asMatrix(b, given);
    const inputs = [tensor, cast(b, indices, 'int64'), updates];
    return emit(b, 'ScatterND', inputs, { type: tensor.type, shape: tensor.shape });
  },
  UnsortedSegmentSum: (b, { x, segmentIds }, { numSegments }: { numSegments: number }) =>
    segmentSum(b, x, segmentIds, numSegments),
  OneHot: (
    b,
    { indices },
    attrs: { depth: number; onValue: number; offValue: number; dtype?: string },
  ) => {
    const { depth, onValue, offValue } = attrs;
    const type = attrs.dtype === 'float32' || attrs.dtype === 'bool' ? attrs.dtype : 'int32';
    const hot = isClass(b, indices, depth);
    if (onValue === 1 && offValue === 0) return cast(b, hot, type);
    const numbers = type === 'bool' ? 'int32' : type;
    const [on, off] = [fill(b, numbers, [], onValue), fill(b, numbers, [], offValue)];
    return cast(b, where(b, hot, on, off), type);
  },
};
