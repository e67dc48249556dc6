/**
 * CPU device memory: a pool of typed arrays. A fresh array of 4 MB costs milliseconds (its
 * pages are touched for the first time) and a reused one costs nothing, so a step's state
 * alternates between two arrays.
 */
import { type DType, sizeOf, type TypedArray } from '@grok/core';
import { TYPED_ARRAYS } from '@grok/core/internal';
import type { Runtime, RuntimeTensor } from './session.js';

/** A typed array, as the backend's tensor handle. */
export interface Storage {
  readonly data: TypedArray;
  /** The caller owns the memory and may write to it after release. */
  readonly lent?: true;
  /** The runtime's tensors over it, by offset and shape. */
  readonly views: Map<string, RuntimeTensor>;
}
/** A pool of reusable arrays. */
export interface Memory {
  /** An array of `size` elements with arbitrary contents. */
  take(dtype: DType, size: number): Storage;
  /** Copies elements to a new array. */
  copyOf(dtype: DType, data: ArrayLike<number>): Storage;
  /** Wraps the caller's own array, which is not added to the pool. */
  borrow(data: TypedArray): Storage;
  /** Returns an array to the pool. */
  release(storage: Storage): void;
  /** The runtime's tensor of `shape`, starting at element `offset`. */
  view(storage: Storage, dtype: DType, shape: readonly number[], offset: number): RuntimeTensor;
  clear(): void;
}

/** Shorter arrays are cheap to allocate and would crowd the pool. */
const SHORT = 1024;
/** Number of unused arrays kept per length. */
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
