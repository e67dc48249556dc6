/** Rows of host arrays. */
import type { HostArray } from '@grok/core';
import { ranges, takeRows } from '@grok/core/internal';
import { expect, it } from 'vitest';

it('are taken in the given order, for any type and rank', () => {
  // Catches: rows counted in elements, a repeated row dropped, bools that become floats.
  const x: HostArray = { shape: [3, 2], dtype: 'float32', data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const taken = { shape: [3, 2], dtype: 'float32', data: Float32Array.of(5, 6, 1, 2, 5, 6) };
  expect(takeRows(x, [2, 0, 2])).toEqual(taken);
  expect(takeRows(x, Int32Array.of(2, 0, 2))).toEqual(taken);
  const flags: HostArray = { shape: [3], dtype: 'bool', data: Uint8Array.of(1, 0, 1) };
  expect(takeRows(flags, [1])).toEqual({ shape: [1], dtype: 'bool', data: Uint8Array.of(0) });
  expect(takeRows(x, [])).toEqual({ shape: [0, 2], dtype: 'float32', data: new Float32Array() });
});

it('are split into nearly equal ranges, each row once', () => {
  // Catches: a last range of one row, which would need its own program.
  expect(ranges(4001, 1600)).toEqual([
    [0, 1334],
    [1334, 2668],
    [2668, 4001],
  ]);
  expect(ranges(5, 5)).toEqual([[0, 5]]);
});
