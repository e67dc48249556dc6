/** Selects rows of host arrays and splits them into ranges. */
import type { HostArray } from '../contracts/types.js';
import { sizeOf } from './params.js';
import { TYPED_ARRAYS } from './program-io.js';

/** Rows of an array in the given order: `[rows.length, …]`. */
export function takeRows(array: HostArray, rows: Int32Array | readonly number[]): HostArray {
  const { dtype, shape } = array;
  const rest = shape.slice(1);
  const size = sizeOf(rest);
  const data = new TYPED_ARRAYS[dtype](rows.length * size);
  for (const [i, row] of rows.entries())
    data.set(array.data.subarray(row * size, (row + 1) * size), i * size);
  return { shape: [rows.length, ...rest], dtype, data };
}
/** `[start, end)` ranges of at most `most` rows, of nearly equal size. */
export function ranges(rows: number, most: number): readonly (readonly [number, number])[] {
  const size = Math.ceil(rows / Math.ceil(rows / most));
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => [
    i * size,
    Math.min(rows, (i + 1) * size),
  ]);
}
