/** Trees of tensors between host and device: upload, read, free, slice by row. */

import type { Backend, DeviceTensor, HostArray, Tree, TypedArray } from '../contracts/types.js';
import { sizeOf } from './params.js';

function isLeaf<Leaf extends object>(node: Leaf | Tree<Leaf>): node is Leaf {
  return Array.isArray((node as { shape?: unknown }).shape) && 'dtype' in node;
}
/** Applies `f` to every leaf of a tree, keys kept. */
export function mapTree<A extends object, B>(tree: Tree<A>, f: (leaf: A) => B): Tree<B> {
  return Object.fromEntries(
    Object.entries(tree).map(([key, node]) => [key, isLeaf(node) ? f(node) : mapTree(node, f)]),
  ) as Tree<B>;
}
/** Leaves of a tree by path, `a/b/c`, in order. */
export function leavesByPath<A extends object>(tree: Tree<A>, prefix = ''): Record<string, A> {
  return Object.fromEntries(
    Object.entries(tree).flatMap(([key, node]) =>
      isLeaf(node)
        ? [[`${prefix}${key}`, node]]
        : Object.entries(leavesByPath(node, `${prefix}${key}/`)),
    ),
  );
}
/** Uploads every array of a tree, copied or lent. */
export function uploadTree(
  backend: Backend,
  tree: Tree<HostArray>,
  how: { readonly lent?: boolean } = {},
): Tree<DeviceTensor> {
  return mapTree(tree, ({ data, shape, dtype }) => backend.upload(data, shape, dtype, how));
}
/** Releases every tensor of a tree. */
export function freeTree(backend: Backend, tree: Tree<DeviceTensor>): void {
  for (const leaf of Object.values(leavesByPath(tree))) backend.free(leaf);
}
/** Reads every tensor of a tree, by path. */
export async function readTree(
  backend: Backend,
  tree: Tree<DeviceTensor>,
): Promise<Record<string, HostArray>> {
  const out: Record<string, HostArray> = {};
  for (const [path, leaf] of Object.entries(leavesByPath(tree)))
    out[path] = { shape: leaf.shape, dtype: leaf.dtype, data: await backend.read(leaf) };
  return out;
}
/** Puts arrays by path back into the shape of `like`. */
export function treeFromPaths<A extends object, B>(
  like: Tree<A>,
  values: Readonly<Record<string, B>>,
  prefix = '',
): Tree<B> {
  return Object.fromEntries(
    Object.entries(like).map(([key, node]) => [
      key,
      isLeaf(node) ? values[`${prefix}${key}`]! : treeFromPaths(node, values, `${prefix}${key}/`),
    ]),
  ) as Tree<B>;
}
/** Rows of an array, in the order given: `[rows.length, …]`. */
export function takeRows(array: HostArray, rows: ArrayLike<number>): HostArray {
  const rest = array.shape.slice(1);
  const size = sizeOf(rest);
  const data = new (array.data.constructor as new (n: number) => TypedArray)(rows.length * size);
  for (let i = 0; i < rows.length; i++)
    data.set(array.data.subarray(rows[i]! * size, (rows[i]! + 1) * size), i * size);
  return { shape: [rows.length, ...rest], dtype: array.dtype, data };
}
/** `[start, end)` ranges of at most `most` rows, as equal as can be. */
export function ranges(rows: number, most: number): readonly (readonly [number, number])[] {
  const size = Math.ceil(rows / Math.ceil(rows / most));
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => [
    i * size,
    Math.min(rows, (i + 1) * size),
  ]);
}
