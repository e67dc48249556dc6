/**
 * Device memory of the CPU: a pool of typed arrays. A fresh array of 4 MB costs milliseconds (its
 * pages are touched for the first time), one that was used before costs nothing; so a step's state
 * swings between two arrays.
 */
import { type DType, sizeOf, type TypedArray } from '@grok/core';
import { TYPED_ARRAYS } from '@grok/core/internal';
import type { Runtime, RuntimeTensor } from './session.js';

/** A typed array, as the backend's handle of a tensor. */
export interface Storage {
  readonly data: TypedArray;
  /** Its owner writes to it again once it is free. */
  readonly lent?: true;
  /** The runtime's tensors over it, by first element and shape. */
  readonly views: Map<string, RuntimeTensor>;
}
/** Arrays that wait to be used again. */
export interface Memory {
  /** An array of `size` elements; its content is what was left there. */
  take(dtype: DType, size: number): Storage;
  /** The same elements in an array of its own. */
  copyOf(dtype: DType, data: ArrayLike<number>): Storage;
  /** The caller's own array, as one that does not stay here. */
  borrow(data: TypedArray): Storage;
  /** Gives an array back. */
  release(storage: Storage): void;
  /** The runtime's tensor over `shape` elements that start at `offset`. */
  view(storage: Storage, dtype: DType, shape: readonly number[], offset: number): RuntimeTensor;
  clear(): void;
}

/** Shorter arrays are cheap to make and would crowd the lists. */
const SHORT = 1024;
/** Arrays of one length that are kept while nobody uses them. */
const KEPT = 8;

export function createMemory(runtime: Runtime): Memory {
  const pool = new Map<string, Storage[]>();
  const take: Memory['take'] = (dtype, size) =>
    pool.get(`${TYPED_ARRAYS[dtype].name}${size}`)?.pop() ?? {
      data: new TYPED_ARRAYS[dtype](size),
      views: new Map(),
    };
  return {
    take,
    copyOf(dtype, data) {
      const storage = take(dtype, data.length);
      storage.data.set(data);
      return storage;
    },
    borrow: (data) => ({ data, lent: true, views: new Map() }),
    release(storage) {
      const { data, lent } = storage;
      if (lent || data.length < SHORT) return;
      const key = `${data.constructor.name}${data.length}`;
      const list = pool.get(key) ?? [];
      if (list.length < KEPT) list.push(storage);
      pool.set(key, list);
    },
    view({ data, views }, dtype, shape, offset) {
      const key = `${offset}:${shape.join()}`;
      const known = views.get(key);
      if (known !== undefined) return known;
      const size = sizeOf(shape);
      const part = size === data.length ? data : data.subarray(offset, offset + size);
      const view = runtime.tensor(dtype, part, shape);
      views.set(key, view);
      return view;
    },
    clear: () => pool.clear(),
  };
}
