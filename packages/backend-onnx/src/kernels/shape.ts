/** Kernels that move elements, or create tensors. */
import { sizeOf } from '@grok/core';
import * as tf from '@grok/tfjs';
import {
  addConstant,
  cast,
  concat,
  emit,
  expand,
  fill,
  int64s,
  reshape,
  scalarLike,
  slice,
  transpose,
} from '../builder.js';
import { type ElementType, makeConstant, type Value } from '../graph.js';
import type { Inputs, Kernels } from './types.js';

const list = (inputs: Inputs): Value[] => Object.values(inputs);
/** A shape with each axis extended by its two paddings. */
const padShape = (shape: readonly number[], paddings: readonly (readonly number[])[]): number[] =>
  shape.map((extent, axis) => (paddings[axis] ?? []).reduce((sum, by) => sum + by, extent));
/** The fields that tfjs's own checks read. */
const toTensorInfo = ({ shape }: Value): tf.TensorInfo => ({
  dataId: {},
  shape: [...shape],
  dtype: 'float32',
});
/** By axis, the end of a slice that runs backwards past the first element. */
const beforeFirst =
  ({ shape }: Value) =>
  (axis: number): number =>
    -((shape[axis] ?? 0) + 1);
const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
const toElementType = (dtype: string | undefined): ElementType =>
  dtype === 'int32' || dtype === 'bool' ? dtype : 'float32';

export const shapes: Kernels = {
  Reshape: (b, { x }, { shape }: { shape: number[] }) =>
    reshape(b, x, tf.util.inferFromImplicitShape(shape, sizeOf(x.shape))),
  ExpandDims: (b, { input }, { dim }: { dim: number }) => {
    const shape = [...input.shape];
    shape.splice(positive(dim, shape.length + 1), 0, 1);
    return reshape(b, input, shape);
  },
  Transpose: (b, { x }, { perm }: { perm: number[] }) => transpose(b, x, perm),
  Slice: (b, { x }, attrs: { begin: number | number[]; size: number | number[] }) => {
    const [begin = [], size = []] = tf.slice_util.parseSliceParams(
      toTensorInfo(x),
      attrs.begin,
      attrs.size,
    );
    tf.slice_util.assertParamsValid(toTensorInfo(x), begin, size);
    return slice(b, x, begin, size);
  },
  StridedSlice: (
    b,
    { x },
    attrs: {
      begin: number[];
      end: number[];
      strides: number[];
      beginMask: number;
      endMask: number;
      ellipsisMask: number;
      newAxisMask: number;
      shrinkAxisMask: number;
    },
  ) => {
    const info = tf.slice_util.sliceInfo(
      [...x.shape],
      attrs.begin,
      attrs.end,
      attrs.strides,
      attrs.beginMask,
      attrs.endMask,
      attrs.ellipsisMask,
      attrs.newAxisMask,
      attrs.shrinkAxisMask,
    );
    const { finalShape, begin, end, strides } = info;
    if (info.isIdentity) return reshape(b, x, finalShape);
    if (sizeOf(finalShape) === 0) return fill(b, x.type, finalShape, 0);
    const size = tf.slice_util.computeOutShape(begin, end, strides);
    // As on tfjs's cpu backend: these two take neighboring elements, whatever the strides are.
    if (info.sliceDim0 || info.isSimpleSlice)
      return reshape(b, slice(b, x, begin, size), finalShape);
    // With a negative stride, an end of -1 would mean the last element, so it goes past the first
    // instead.
    const first = beforeFirst(x);
    const ends = end.map((to, i) => (Number(strides[i]) < 0 && to < 0 ? first(i) : to));
    const axes = begin.map((_, axis) => axis);
    const inputs = [x, int64s(b, begin), int64s(b, ends), int64s(b, axes), int64s(b, strides)];
    return reshape(b, emit(b, 'Slice', inputs, { type: x.type, shape: size }), finalShape);
  },
  Reverse: (b, { x }, { dims }: { dims: number | number[] }) => {
    const axes = tf.util.parseAxisParam(dims, [...x.shape]);
    if (axes.length === 0 || x.shape.length === 0) return x;
    const starts = axes.map(() => -1);
    const ends = axes.map(beforeFirst(x));
    const inputs = [x, int64s(b, starts), int64s(b, ends), int64s(b, axes), int64s(b, starts)];
    return emit(b, 'Slice', inputs, { type: x.type, shape: x.shape });
  },
  PadV2: (b, { x }, attrs: { paddings: [number, number][]; constantValue: number }) => {
    const { paddings, constantValue } = attrs;
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
    const shape = padShape(x.shape, paddings);
    const pads = [...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)];
    const inputs = [x, int64s(b, pads), scalarLike(b, x, constantValue)];
    return emit(b, 'Pad', inputs, { type: x.type, shape });
  },
  MirrorPad: (b, { x }, { paddings, mode }: { paddings: [number, number][]; mode: string }) => {
    if (mode !== 'reflect')
      throw new Error('backend "onnx": mirrorPad only knows mode "reflect", got "symmetric"');
    const shape = padShape(x.shape, paddings);
    const pads = [...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)];
    return emit(b, 'Pad', [x, int64s(b, pads)], { type: x.type, shape }, { mode: 'reflect' });
  },
  Concat: (b, inputs, { axis }: { axis: number }) => {
    const parts = list(inputs);
    const whole = parts.filter((part) => sizeOf(part.shape) > 0);
    const [first] = parts;
    const rank = first?.shape.length ?? 0;
    return concat(b, whole.length > 0 ? whole : parts.slice(0, 1), positive(axis, rank));
  },
  Pack: (b, inputs, { axis: given }: { axis: number }) => {
    const parts = list(inputs);
    const shape = [...(parts[0]?.shape ?? [])];
    const axis = positive(given, shape.length + 1);
    shape.splice(axis, 0, 1);
    return concat(
      b,
      parts.map((part) => reshape(b, part, shape)),
      axis,
    );
  },
  Unpack: (b, { value }, { axis: given }: { axis: number }) => {
    const axis = positive(given, value.shape.length);
    const rest = value.shape.filter((_, i) => i !== axis);
    const size = value.shape.map((extent, i) => (i === axis ? 1 : extent));
    return Array.from({ length: value.shape[axis] ?? 0 }, (_, at) => {
      const begin = value.shape.map((_, i) => (i === axis ? at : 0));
      return reshape(b, slice(b, value, begin, size), rest);
    });
  },
  /** Slices instead of Split, which is slow in onnxruntime on the last axis. */
  SplitV: (b, { x }, attrs: { numOrSizeSplits: number[] | number; axis: number }) => {
    const axis = positive(attrs.axis, x.shape.length);
    const sizes = tf.backend_util.prepareSplitSize(toTensorInfo(x), attrs.numOrSizeSplits, axis);
    let at = 0;
    return sizes.map((extent) => {
      const begin = x.shape.map((_, i) => (i === axis ? at : 0));
      at += extent;
      return slice(
        b,
        x,
        begin,
        x.shape.map((whole, i) => (i === axis ? extent : whole)),
      );
    });
  },
  Tile: (b, { x }, { reps }: { reps: number[] }) => {
    const shape = x.shape.map((extent, i) => extent * (reps[i] ?? 1));
    if (x.shape.every((extent, i) => extent === 1 || reps[i] === 1)) return expand(b, x, shape);
    return emit(b, 'Tile', [x, int64s(b, reps)], { type: x.type, shape });
  },
  BroadcastTo: (b, { x }, { shape }: { shape: number[] }) => expand(b, x, shape),
  SpaceToBatchND: (b, { x }, attrs: { blockShape: number[]; paddings: [number, number][] }) => {
    const { blockShape: block } = attrs;
    const paddings = [[0, 0] as const, ...attrs.paddings];
    while (paddings.length < x.shape.length) paddings.push([0, 0]);
    const shape = padShape(x.shape, paddings);
    const pads = [...paddings.map((pad) => pad[0]), ...paddings.map((pad) => pad[1])];
    const inputs = [x, int64s(b, pads), scalarLike(b, x, 0)];
    const padded = emit(b, 'Pad', inputs, { type: x.type, shape });
    const size = sizeOf(block);
    const split = tf.backend_util.getReshaped(shape, block, size, false);
    const perm = tf.backend_util.getPermuted(split.length, block.length, false);
    const permuted = tf.backend_util.getReshapedPermuted(shape, block, size, false);
    return reshape(b, transpose(b, reshape(b, padded, split), perm), permuted);
  },
  BatchToSpaceND: (b, { x }, attrs: { blockShape: number[]; crops: number[][] }) => {
    const { blockShape: block, crops } = attrs;
    const size = sizeOf(block);
    const shape = [...x.shape];
    const split = tf.backend_util.getReshaped(shape, block, size);
    const perm = tf.backend_util.getPermuted(split.length, block.length);
    const permuted = tf.backend_util.getReshapedPermuted(shape, block, size);
    const begin = tf.backend_util.getSliceBeginCoords(crops, block.length);
    const kept = tf.backend_util.getSliceSize(permuted, crops, block.length);
    const whole = reshape(b, transpose(b, reshape(b, x, split), perm), permuted);
    const rest = permuted.slice(kept.length);
    return slice(b, whole, [...begin, ...rest.map(() => 0)], [...kept, ...rest]);
  },

  Fill: (b, _, attrs: { shape: number[]; value: number; dtype?: string }) =>
    fill(b, toElementType(attrs.dtype), attrs.shape, attrs.value),
  ZerosLike: (b, { x }) => fill(b, x.type, x.shape, 0),
  OnesLike: (b, { x }) => fill(b, x.type, x.shape, 1),
  Range: (b, _, attrs: { start: number; stop: number; step: number; dtype: string }) => {
    const { start, stop, step, dtype } = attrs;
    const count = Math.max(0, Math.ceil((stop - start) / step));
    const elements = Array.from({ length: count }, (_, i) => start + i * step);
    return addConstant(b, toElementType(dtype), [count], makeConstant(elements));
  },
  LinSpace: (b, _, { start, stop, num }: { start: number; stop: number; num: number }) => {
    const elements = Array.from({ length: num }, (_, i) =>
      num === 1 ? start : start + (i * (stop - start)) / (num - 1),
    );
    return addConstant(b, 'float32', [num], makeConstant(elements));
  },
  Diag: (b, { x }) => {
    const size = sizeOf(x.shape);
    const eye = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
    const mask = cast(b, addConstant(b, 'float32', [size, size], makeConstant(eye)), x.type);
    const row = reshape(b, x, [1, size]);
    const matrix = emit(b, 'Mul', [row, mask], { type: x.type, shape: [size, size] });
    return reshape(b, matrix, [...x.shape, ...x.shape]);
  },
};
