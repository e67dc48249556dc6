/**
 * Kernels that training needs and that tfjs's wasm backend (4.22) lacks, gets wrong, or implements
 * slowly. They are registered for `wasm` only, so other tfjs backends are unaffected.
 */
import { sizeOf } from '@grok/core';
import type { KernelConfig, KernelFunc, TensorInfo } from '@grok/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

type Tf = typeof import('@grok/tfjs');
/** A kernel with its inputs and attributes named. */
type Kernel<I extends string, A> = (call: {
  inputs: Record<I, TensorInfo>;
  backend: BackendWasm;
  attrs: A;
}) => TensorInfo;
type MatMul = Kernel<'a' | 'b', { transposeA: boolean; transposeB: boolean }>;
type Transpose = Kernel<'x', { perm: number[] }>;
type Gather = Kernel<'x' | 'indices', { axis: number; batchDims: number }>;
type OneHot = Kernel<
  'indices',
  { depth: number; onValue: number; offValue: number; dtype: 'float32' | 'int32' | 'bool' }
>;
type SegmentSum = Kernel<'x' | 'segmentIds', { numSegments: number }>;

/** A typed array view of a tensor's memory. */
type Values = ReturnType<BackendWasm['typedArrayFromHeap']>;

const OURS = Symbol.for('@grok/backend-wasm/kernel');

/** Registers them once; later calls do nothing. */
export function registerTrainingKernels(tf: Tf): void {
  const stock = (name: string): KernelConfig => tf.getKernel(name, 'wasm');
  if (OURS in (stock('BatchMatMul').kernelFunc as object)) return;
  const kernels: Record<string, unknown> = {
    BatchMatMul: matMulOnRows(
      stock('BatchMatMul').kernelFunc as MatMul,
      stock('Transpose').kernelFunc as Transpose,
    ),
    GatherV2: gather(tf),
    OneHot: oneHot,
    UnsortedSegmentSum: segmentSum,
  };
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    const before = stock(kernelName) as KernelConfig | undefined;
    if (before !== undefined) tf.unregisterKernel(kernelName, 'wasm');
    const kernelFunc = Object.assign(kernel as KernelFunc, { [OURS]: true });
    tf.registerKernel({ ...before, kernelName, backendName: 'wasm', kernelFunc });
  }
}

/**
 * Matrix product without transpose flags: XNNPACK computes the plain product (36 GFLOP/s), but
 * flags fall back to a scalar loop (1.4–3 GFLOP/s), so operands are transposed first.
 */
function matMulOnRows(product: MatMul, transpose: Transpose): MatMul {
  return ({ inputs: { a, b }, backend, attrs: { transposeA, transposeB } }) => {
    const created: TensorInfo[] = [];
    const flip = (x: TensorInfo): TensorInfo => {
      const axes = x.shape.map((_, i) => i);
      const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
      const flipped = transpose({ inputs: { x }, backend, attrs: { perm } }); // […, columns, rows]
      created.push(flipped);
      return flipped;
    };
    try {
      const inputs = { a: transposeA ? flip(a) : a, b: transposeB ? flip(b) : b };
      return product({ inputs, backend, attrs: { transposeA: false, transposeB: false } });
    } finally {
      for (const { dataId } of created) backend.disposeData(dataId);
    }
  };
}

/** Slices of x by index along an axis; the stock kernel computes coordinates for every entry (30 times slower). */
function gather({ util }: Tf): Gather {
  return ({ inputs: { x, indices }, backend, attrs }) => {
    const [axis = 0] = util.parseAxisParam(attrs.axis, x.shape);
    const batchDims =
      attrs.batchDims < 0 ? indices.shape.length + attrs.batchDims : attrs.batchDims;
    const batch = x.shape.slice(0, batchDims);
    if (batch.join() !== indices.shape.slice(0, batchDims).join() || batchDims > axis)
      throw new Error(
        `gather: x [${x.shape.join(', ')}] and indices [${indices.shape.join(', ')}] must begin with the same ${batchDims} dimensions, before axis ${axis}`,
      );
    const [dimSize = 1, ...inner] = x.shape.slice(axis);
    const outer = x.shape.slice(batchDims, axis);
    const shape = [...batch, ...outer, ...indices.shape.slice(batchDims), ...inner];
    const out = backend.makeOutput(shape, x.dtype);
    // Views are created after the output, since allocating may move the heap.
    const ids = backend.typedArrayFromHeap(indices);
    const outside = ids.find((id) => id < 0 || id >= dimSize);
    if (outside !== undefined) {
      backend.disposeData(out.dataId);
      throw new Error(`gather: index ${outside} is outside 0 to ${dimSize - 1}`);
    }
    const [to, from] = [backend.typedArrayFromHeap(out), backend.typedArrayFromHeap(x)];
    const size = sizeOf(inner);
    const perBatch = ids.length / sizeOf(batch);
    for (let block = 0; block < sizeOf(batch) * sizeOf(outer); block++) {
      const first = Math.floor(block / sizeOf(outer)) * perBatch;
      const source = from.subarray(block * dimSize * size, (block + 1) * dimSize * size);
      copyRows(source, ids.subarray(first, first + perBatch), size, to, block * perBatch * size);
    }
    return out;
  };
}

/**
 * Copies rows of `size` numbers by id, one after another, starting at `at`; a view per row costs
 * more than copying a few numbers.
 */
function copyRows(from: Values, ids: Values, size: number, to: Values, at: number): void {
  for (let i = 0; i < ids.length; i++) {
    const start = ids[i]! * size;
    const target = at + i * size;
    if (size < 16) for (let k = 0; k < size; k++) to[target + k] = from[start + k]!;
    else to.set(from.subarray(start, start + size), target);
  }
}

/** The stock kernel writes int32 bits whatever type is requested. */
const oneHot: OneHot = ({ inputs: { indices }, backend, attrs }) => {
  const { depth, onValue, offValue, dtype } = attrs;
  const out = backend.makeOutput([...indices.shape, depth], dtype);
  const [to, ids] = [backend.typedArrayFromHeap(out), backend.typedArrayFromHeap(indices)];
  to.fill(offValue);
  // Plain loops here and below: an iterator over a typed array takes 1.5 times as long.
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    if (id >= 0 && id < depth) to[row * depth + id] = onValue;
  }
  return out;
};

/**
 * Sums the rows of x `[rows, …]` by segment id `[rows]` to `[numSegments, …]`: the gradient of a
 * gather. Rows whose id is not a segment are dropped, as in TensorFlow.
 */
const segmentSum: SegmentSum = ({ inputs: { x, segmentIds }, backend, attrs: { numSegments } }) => {
  const rest = x.shape.slice(segmentIds.shape.length);
  const width = sizeOf(rest);
  const out = backend.makeOutput([numSegments, ...rest], x.dtype);
  const [sums, values] = [backend.typedArrayFromHeap(out), backend.typedArrayFromHeap(x)];
  const ids = backend.typedArrayFromHeap(segmentIds);
  sums.fill(0);
  for (let row = 0; row < ids.length; row++) {
    const segment = ids[row]!;
    if (segment < 0 || segment >= numSegments) continue;
    for (let i = 0, to = segment * width, from = row * width; i < width; i++)
      sums[to + i]! += values[from + i]!;
  }
  return out;
};
