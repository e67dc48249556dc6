/**
 * Device memory of the CPU: typed arrays that are lent out and come back. A fresh array of 4 MB costs
 * milliseconds (its pages are touched for the first time), one that was used before costs nothing;
 * so a step's state swings between two arrays.
 */
import { type DType, InputError, type TypedArray } from '@grok/core';
import type { Runtime, RuntimeTensor } from './session.js';

/** A typed array with the number of device tensors that share it. */
export interface Storage {
  readonly data: TypedArray;
  references: number;
  /** The runtime's tensors over it, by first element and shape. */
  readonly views: Map<string, RuntimeTensor>;
}
/** Arrays that wait to be used again. */
export interface Memory {
  /** An array of `size` elements with one reference; its content is what was left there. */
  take(dtype: DType, size: number): Storage;
  /** Ends one reference; the last one gives the array back. */
  release(storage: Storage): void;
  /** The runtime's tensor over `shape` elements that start at `offset`. */
  view(
    storage: Storage,
    dtype: DType,
    shape: readonly number[],
    offset?: number,
    size?: number,
  ): RuntimeTensor;
  clear(): void;
}

/** Shorter arrays are cheap to make and would crowd the lists. */
const SHORT = 1024;
/** Arrays of one length that are kept while nobody uses them. */
const KEPT = 8;

/** Host arrays by element type. */
export function arrayOf(dtype: DType, size: number): TypedArray {
  if (dtype === 'float32') return new Float32Array(size);
  return dtype === 'int32' ? new Int32Array(size) : new Uint8Array(size);
}
/** @throws InputError when `data` is of another type or length. */
export function checkData(data: TypedArray, shape: readonly number[], dtype: DType): void {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const wanted = { float32: 'Float32Array', int32: 'Int32Array', bool: 'Uint8Array' }[dtype];
  const got = Object.prototype.toString.call(data).slice(8, -1);
  if (got !== wanted || data.length !== size)
    throw new InputError(
      `upload: ${dtype} [${shape.join(', ')}] needs a ${wanted} of ${size} elements, got a ${got} of ${data.length}`,
    );
}

export function createMemory(runtime: Runtime): Memory {
  const idle = new Map<string, Storage[]>();
  const keyOf = (data: TypedArray): string => `${data.constructor.name}${data.length}`;
  return {
    take(dtype, size) {
      if (size >= SHORT) {
        const name = { float32: 'Float32Array', int32: 'Int32Array', bool: 'Uint8Array' }[dtype];
        const found = idle.get(`${name}${size}`)?.pop();
        if (found !== undefined) {
          found.references = 1;
          return found;
        }
      }
      return { data: arrayOf(dtype, size), references: 1, views: new Map() };
    },
    release(storage) {
      storage.references--;
      if (storage.references > 0 || storage.data.length < SHORT) return;
      const key = keyOf(storage.data);
      const list = idle.get(key) ?? [];
      if (list.length < KEPT) list.push(storage);
      idle.set(key, list);
    },
    view(storage, dtype, shape, offset = 0, size = storage.data.length) {
      const key = `${offset}:${shape.join()}`;
      let view = storage.views.get(key);
      if (view === undefined) {
        const part =
          size === storage.data.length
            ? storage.data
            : storage.data.subarray(offset, offset + size);
        view = runtime.tensor(dtype, part, shape);
        storage.views.set(key, view);
      }
      return view;
    },
    clear: () => idle.clear(),
  };
}
