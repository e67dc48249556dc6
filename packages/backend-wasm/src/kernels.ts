/**
 * Kernels that training needs and tfjs's wasm backend lacks or has only as scalar code, registered
 * for `wasm` alone: other tfjs backends are not touched.
 */
import type { KernelFunc, TensorInfo } from '@grok/tfjs';
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

const OURS = Symbol.for('@grok/backend-wasm/kernel');

/** Registers them once; a second call changes nothing. */
export function registerTrainingKernels(tf: Tf): void {
  const wasm = 'wasm';
  if (tf.getKernel('UnsortedSegmentSum', wasm) == null)
    tf.registerKernel({
      kernelName: 'UnsortedSegmentSum',
      backendName: wasm,
      kernelFunc: unsortedSegmentSum as unknown as KernelFunc,
    });
  const stock = tf.getKernel('BatchMatMul', wasm);
  const transpose = tf.getKernel('Transpose', wasm);
  if (OURS in stock.kernelFunc) return;
  const kernelFunc = matMulOnRows(
    stock.kernelFunc as unknown as MatMul,
    transpose.kernelFunc as unknown as Transpose,
  ) as unknown as KernelFunc;
  tf.unregisterKernel('BatchMatMul', wasm);
  tf.registerKernel({ ...stock, kernelFunc: Object.assign(kernelFunc, { [OURS]: true }) });
}

/**
 * Matrix product without transpose flags: XNNPACK takes the plain product (36 GFLOP/s), flags fall
 * back to a scalar loop (1.4–3 GFLOP/s), so operands are transposed first.
 */
function matMulOnRows(product: MatMul, transpose: Transpose): MatMul {
  return ({ inputs: { a, b }, backend, attrs: { transposeA, transposeB } }) => {
    const made: TensorInfo[] = [];
    const flip = (x: TensorInfo): TensorInfo => {
      const axes = x.shape.map((_, i) => i);
      const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
      const flipped = transpose({ inputs: { x }, backend, attrs: { perm } }); // […, columns, rows]
      made.push(flipped);
      return flipped;
    };
    try {
      const inputs = { a: transposeA ? flip(a) : a, b: transposeB ? flip(b) : b };
      return product({ inputs, backend, attrs: { transposeA: false, transposeB: false } });
    } finally {
      for (const { dataId } of made) backend.disposeData(dataId);
    }
  };
}

/**
 * Sum of the rows of x `[rows, …]` by segment id `[rows]`, as `[numSegments, …]`: the gradient of a
 * gather. Rows whose id is no segment are dropped, as in TensorFlow.
 */
const unsortedSegmentSum: Kernel<'x' | 'segmentIds', { numSegments: number }> = ({
  inputs: { x, segmentIds },
  backend,
  attrs: { numSegments },
}) => {
  const rest = x.shape.slice(segmentIds.shape.length);
  const width = rest.reduce((product, n) => product * n, 1);
  const out = backend.makeOutput([numSegments, ...rest], x.dtype);
  // Views are made after the output: allocating may move the heap.
  const sums = backend.typedArrayFromHeap(out);
  const values = backend.typedArrayFromHeap(x);
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
