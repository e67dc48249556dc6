/**
 * Device memory of the CPU: typed arrays that are lent out and come back. A fresh array of 4 MB costs
 * milliseconds (its pages are touched for the first time), one that was used before costs nothing;
 * so a step's state swings between two arrays.
 */
import { type DType, sizeOf, type TypedArray } from '@grok/core';
import { TYPED_ARRAYS } from '@grok/core/internal';
import type { Runtime, RuntimeTensor } from './session.js';

/** A typed array with the number of device tensors that share it. */
export interface Storage {
  readonly data: TypedArray;
  references: number;
  /** Its owner writes to it again once it is free. */
  readonly lent?: true;
  /** The runtime's tensors over it, by first element and shape. */
  readonly views: Map<string, RuntimeTensor>;
}
/** Arrays that wait to be used again. */
export interface Memory {
  /** An array of `size` elements with one reference; its content is what was left there. */
  take(dtype: DType, size: number): Storage;
  /** The same elements in an array of its own. */
  copyOf(dtype: DType, data: ArrayLike<number>): Storage;
  /** The caller's own array, as one with one reference that does not stay here. */
  borrow(data: TypedArray): Storage;
  /** Ends one reference; the last one gives the array back. */
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
  const idle = new Map<string, Storage[]>();
  const keyOf = (data: TypedArray): string => `${data.constructor.name}${data.length}`;
  const take: Memory['take'] = (dtype, size) => {
    if (size >= SHORT) {
      const found = idle.get(`${TYPED_ARRAYS[dtype].name}${size}`)?.pop();
      if (found !== undefined) {
        found.references = 1;
        return found;
      }
    }
    return { data: new TYPED_ARRAYS[dtype](size), references: 1, views: new Map() };
  };
  return {
    take,
    copyOf(dtype, data) {
      const storage = take(dtype, data.length);
      storage.data.set(data);
      return storage;
    },
    borrow: (data) => ({ data, references: 1, lent: true, views: new Map() }),
    release(storage) {
      storage.references--;
      if (storage.references > 0 || storage.lent || storage.data.length < SHORT) return;
      const key = keyOf(storage.data);
      const list = idle.get(key) ?? [];
      if (list.length < KEPT) list.push(storage);
      idle.set(key, list);
    },
    view(storage, dtype, shape, offset) {
      const { data, views } = storage;
      const key = `${offset}:${shape.join()}`;
      let view = views.get(key);
      if (view === undefined) {
        const size = sizeOf(shape);
        const part = size === data.length ? data : data.subarray(offset, offset + size);
        view = runtime.tensor(dtype, part, shape);
        views.set(key, view);
      }
      return view;
    },
    clear: () => idle.clear(),
  };
}
