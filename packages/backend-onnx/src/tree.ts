/** Trees of tensors as flat lists of leaves, each with the path that leads to it. */
import { InputError } from '@grok/core';

/** A leaf and its keys from the root; `path` is for people and comparisons. */
export interface Leaf<T> {
  readonly keys: readonly string[];
  readonly path: string;
  readonly value: T;
}

/** Leaves of a tree, depth first, in the order of its keys. @throws on what is neither. */
export function flatten<T>(
  what: string,
  tree: unknown,
  isLeaf: (value: object) => boolean,
): Leaf<T>[] {
  const leaves: Leaf<T>[] = [];
  const walk = (value: unknown, keys: readonly string[]): void => {
    if (typeof value !== 'object' || value === null)
      throw new InputError(`${what} ${pathOf(keys)}: expected a tensor, got ${String(value)}`);
    if (isLeaf(value)) leaves.push({ keys, path: pathOf(keys), value: value as T });
    else for (const [key, inner] of Object.entries(value)) walk(inner, [...keys, key]);
  };
  walk(tree, []);
  return leaves;
}
/** Keys for people: `params.embed.W_E` is one key, `params → embed.W_E` two. */
function pathOf(keys: readonly string[]): string {
  return JSON.stringify(keys.join(' → '));
}

/** A tree with `values` for leaves, in the order of `flatten`; empty branches stay. */
export function rebuild<T>(
  tree: unknown,
  isLeaf: (value: object) => boolean,
  values: readonly T[],
): object {
  let next = 0;
  const walk = (value: object): unknown =>
    isLeaf(value)
      ? values[next++]
      : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
  return walk(tree as object) as object;
}

/** The value that `keys` lead to, or undefined. */
export function at(tree: unknown, keys: readonly string[]): unknown {
  let value = tree;
  for (const key of keys) value = (value as Record<string, unknown> | null | undefined)?.[key];
  return value;
}
