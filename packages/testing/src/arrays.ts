/** Host arrays in one word, and trees of tensors on a backend read and freed. */
import type { Backend, DeviceTensor, HostArray } from '@grok/core';

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
/** A bool array of a shape, of 0 and 1. */
export const bool = (shape: readonly number[], data: ArrayLike<number>): HostArray => ({
  shape,
  dtype: 'bool',
  data: Uint8Array.from(data),
});

/** True for a leaf of a tree of device tensors. */
export function isTensor(node: object): node is DeviceTensor {
  return 'dtype' in node && typeof node.dtype === 'string';
}
/** All tensors of a tree. */
export function leaves(tree: object): DeviceTensor[] {
  return Object.values(tree).flatMap((node: object) => (isTensor(node) ? [node] : leaves(node)));
}
/** Reads every tensor of a tree by path, and frees it. */
export async function readAndFree(
  backend: Backend,
  tree: object,
  prefix = '',
): Promise<Record<string, HostArray>> {
  const out: Record<string, HostArray> = {};
  for (const [key, node] of Object.entries(tree) as [string, object][])
    if (isTensor(node)) {
      const { shape, dtype } = node;
      out[prefix + key] = { shape, dtype, data: await backend.read(node) };
      backend.free(node);
    } else Object.assign(out, await readAndFree(backend, node, `${prefix}${key}/`));
  return out;
}
/** Arrays + by · gradients, in float32; a gradient that is missing gives NaN. */
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
