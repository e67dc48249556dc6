/** Short constructors of host arrays, and functions to read and free trees of tensors. */
import type { Backend, DeviceTensor, HostArray, Tree } from '@grok/core';
import { freeTree, readTree } from '@grok/core/internal';

/** A float32 array of a shape. */
export const f32 = (shape: readonly number[], data: ArrayLike<number>): HostArray => ({
  shape,
  dtype: 'float32',
  data: Float32Array.from(data),
});
/** An int32 array of a shape. */
export const i32 = (shape: readonly number[], data: ArrayLike<number>): HostArray => ({
  shape,
  dtype: 'int32',
  data: Int32Array.from(data),
});
/** A boolean array of a shape, with values 0 and 1. */
export const bool = (shape: readonly number[], data: ArrayLike<number>): HostArray => ({
  shape,
  dtype: 'bool',
  data: Uint8Array.from(data),
});

/** Reads every tensor of a tree by path, and frees it. */
export async function readAndFree(
  backend: Backend,
  tree: Tree<DeviceTensor>,
): Promise<Record<string, HostArray>> {
  const arrays = await readTree(backend, tree);
  freeTree(backend, tree);
  return arrays;
}
/** Returns `arrays + by · gradients` in float32; a missing gradient gives NaN. */
export function moveAlong(
  arrays: Readonly<Record<string, HostArray>>,
  grads: Readonly<Record<string, HostArray>>,
  by: number,
): Record<string, HostArray> {
  return Object.fromEntries(
    Object.entries(arrays).map(([key, { shape, data }]) => {
      const slopes = grads[key]?.data ?? [];
      return [
        key,
        f32(
          shape,
          Array.from(data, (v, i) => v + by * (slopes[i] ?? Number.NaN)),
        ),
      ];
    }),
  );
}
