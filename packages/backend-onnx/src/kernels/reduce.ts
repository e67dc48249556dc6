/** Kernels that reduce axes, or normalize and accumulate along one. */
import * as tf from '@grok/tfjs';
import { type Builder, cast, emit, emitMany, fill, int64s, reduce } from '../builder.js';
import type { ElementType, Value } from '../graph.js';
import type { Kernel, Kernels } from './types.js';

interface Axes {
  readonly axis: number | number[];
  /** Max's name for its axes. */
  readonly reductionIndices?: number | number[];
  readonly keepDims: boolean;
}
const parseAxes = (x: Value, axis: number | number[]): number[] =>
  tf.util.parseAxisParam(axis, [...x.shape]);

/** Bools are reduced as int32 and cast to `out`. */
const fold =
  (op: string, out: 'int32' | 'bool'): Kernel =>
  (b, { x }, { axis, reductionIndices, keepDims }: Axes) => {
    const bool = x.type === 'bool';
    const numbers = bool ? cast(b, x, 'int32') : x;
    const folded = reduce(b, op, numbers, parseAxes(x, reductionIndices ?? axis), keepDims);
    return bool ? cast(b, folded, out) : folded;
  };
const argument =
  (op: string): Kernel =>
  (b, { x }, { axis: given }: { axis: number }) => {
    const [axis] = parseAxes(x, given) as [number];
    const numbers = x.type === 'bool' ? cast(b, x, 'int32') : x;
    const shape = x.shape.filter((_, i) => i !== axis);
    const found = emit(b, op, [numbers], { type: 'int64', shape }, { axis, keepdims: 0 });
    return cast(b, found, 'int32');
  };
const along = (b: Builder, op: string, x: Value, axis: number): Value =>
  emit(b, op, [cast(b, x, 'float32')], { type: 'float32', shape: x.shape }, { axis });

export const reductions: Kernels = {
  Sum: fold('ReduceSum', 'int32'),
  Prod: fold('ReduceProd', 'int32'),
  Max: fold('ReduceMax', 'bool'),
  Min: fold('ReduceMin', 'bool'),
  All: fold('ReduceMin', 'bool'),
  Any: fold('ReduceMax', 'bool'),
  /** The mean of integers is float32. */
  Mean: (b, { x }, { axis, keepDims }: Axes) =>
    reduce(b, 'ReduceMean', cast(b, x, 'float32'), parseAxes(x, axis), keepDims),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Softmax: (b, { logits }, { dim }: { dim: number }) =>
    along(b, 'Softmax', logits, dim < 0 ? dim + logits.shape.length : dim),
  LogSoftmax: (b, { logits }, { axis }: { axis: number }) =>
    along(b, 'LogSoftmax', logits, axis < 0 ? axis + logits.shape.length : axis),
  Cumsum: (
    b,
    { x },
    { axis, exclusive, reverse }: { axis: number; exclusive: boolean; reverse: boolean },
  ) => {
    const numbers = x.type === 'bool' ? cast(b, x, 'int32') : x;
    const inputs = [numbers, fill(b, 'int32', [], axis)];
    const flags = { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 };
    return emit(b, 'CumSum', inputs, { type: numbers.type, shape: x.shape }, flags);
  },
  TopK: (b, { x }, { k, sorted }: { k: number; sorted: boolean }) => {
    const shape = [...x.shape.slice(0, -1), k];
    const outputs: { type: ElementType; shape: number[] }[] = [
      { type: x.type, shape },
      { type: 'int64', shape },
    ];
    const attributes = { axis: -1, largest: 1, sorted: sorted ? 1 : 0 };
    const [values, indices] = emitMany(b, 'TopK', [x, int64s(b, [k])], outputs, attributes) as [
      Value,
      Value,
    ];
    return [values, cast(b, indices, 'int32')];
  },
};
