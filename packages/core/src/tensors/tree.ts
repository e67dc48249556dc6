/** Trees of tensors: plain objects whose leaves are tensors of any kind, on the host or on a device. */
import { InputError } from '../contracts/errors.js';
import type {
  Backend,
  DeviceTensor,
  HostArray,
  MapLeaves,
  TensorLike,
  Tree,
} from '../contracts/types.js';

/** True for an object that is not a tensor of any kind. */
function isBranch<A>(node: A | Tree<A>): node is Tree<A> {
  if (typeof node !== 'object' || node === null) return false;
  const { shape, dtype }: Partial<TensorLike> = node;
  return !(Array.isArray(shape) && typeof dtype === 'string');
}

/** Applies `f` to every leaf and its path, `a/b/c`; keys and their order are kept. */
export function mapTree<A extends TensorLike, B>(
  tree: Readonly<Record<string, A>>,
  f: (leaf: A, path: string) => B,
): Record<string, B>;
export function mapTree<A, B>(
  tree: Tree<A>,
  f: (leaf: A, path: string) => B,
  prefix?: string,
): Tree<B>;
export function mapTree<A, B>(
  tree: Tree<A>,
  f: (leaf: A, path: string) => B,
  prefix = '',
): Tree<B> {
  return Object.fromEntries(
    Object.entries(tree).map(([key, node]) => [
      key,
      isBranch(node) ? mapTree(node, f, `${prefix}${key}/`) : f(node, prefix + key),
    ]),
  );
}
/** Leaves of a tree by path, `a/b/c`, in order. */
export function leavesByPath<A>(tree: Tree<A>): Record<string, A> {
  const leaves: Record<string, A> = {};
  mapTree(tree, (leaf, path) => {
    leaves[path] = leaf;
  });
  return leaves;
}
/**
 * Applies `f` to the leaves at the same path of several trees, in the key order of the first.
 * @throws InputError when a tree lacks a leaf.
 */
export function mapTrees<A extends TensorLike, B>(
  f: (...leaves: A[]) => B,
  first: Readonly<Record<string, A>>,
  ...rest: readonly Readonly<Record<string, A>>[]
): Record<string, B>;
export function mapTrees<A, B>(
  f: (...leaves: A[]) => B,
  first: Tree<A>,
  ...rest: readonly Tree<A>[]
): Tree<B>;
export function mapTrees<A, B>(
  f: (...leaves: A[]) => B,
  first: Tree<A>,
  ...rest: readonly Tree<A>[]
): Tree<B> {
  const others = rest.map(leavesByPath);
  return mapTree(first, (leaf, path) => f(leaf, ...others.map((leaves) => findLeaf(leaves, path))));
}
function findLeaf<A>(leaves: Readonly<Record<string, A>>, path: string): A {
  const leaf = Object.hasOwn(leaves, path) ? leaves[path] : undefined;
  if (leaf !== undefined) return leaf;
  throw new InputError(`tensor "${path}" is missing; there are: ${Object.keys(leaves).join(', ')}`);
}
/** A tree of the structure of `like` with the given leaves. @throws InputError that names a path without a leaf. */
export function treeFromPaths<B>(
  like: Tree<unknown>,
  leaves: Readonly<Record<string, B>>,
): Tree<B> {
  return mapTree(like, (_, path) => findLeaf(leaves, path));
}
/** Applies `f` to every leaf and the list item at the same position. @throws InputError when the list is too short. */
export function zipTree<A extends TensorLike, B, C>(
  tree: Readonly<Record<string, A>>,
  list: Iterable<B>,
  f: (leaf: A, other: B) => C,
): Record<string, C>;
export function zipTree<A, B, C>(
  tree: Tree<A>,
  list: Iterable<B>,
  f: (leaf: A, other: B) => C,
): Tree<C>;
export function zipTree<A, B, C>(
  tree: Tree<A>,
  list: Iterable<B>,
  f: (leaf: A, other: B) => C,
): Tree<C> {
  const iterator = list[Symbol.iterator]();
  return mapTree(tree, (leaf, path) => {
    const next = iterator.next();
    if (next.done) throw new InputError(`tensor "${path}" is missing`);
    return f(leaf, next.value);
  });
}

/** Uploads every array of a tree, copied or lent. */
export function uploadTree<T extends Tree<HostArray>>(
  backend: Backend,
  tree: T,
  how?: { readonly lent?: boolean },
): MapLeaves<T, DeviceTensor>;
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
  const arrays: Record<string, HostArray> = {};
  for (const [path, leaf] of Object.entries(leavesByPath(tree)))
    arrays[path] = { shape: leaf.shape, dtype: leaf.dtype, data: await backend.read(leaf) };
  return arrays;
}
