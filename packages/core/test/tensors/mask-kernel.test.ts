import { rng } from '@grok/core';
import { expect, test } from 'vitest';
import { createMaskBuffer, createMaskKernel } from '../../src/tensors/mask-kernel.js';

test('the SIMD masks match the plain code bit for bit (catches: a wrong opcode, lane order or tail)', () => {
  expect(createMaskKernel()).toBeDefined();
  for (const [n, keep] of [
    [1, 0.5],
    [15, 0.8],
    [16, 0.8],
    [100_003, 0.8],
    [70_000, 0.001],
    [33, 0],
    [33, 1],
  ] as const) {
    const stream = rng(7).split(n);
    const halves = new Uint16Array(stream.words((n + 1) >> 1).buffer);
    const threshold = Math.round(keep * 65536);
    const plain = Uint8Array.from(halves.subarray(0, n), (half) => (half < threshold ? 1 : 0));
    expect(stream.bernoulli(n, keep)).toEqual(plain);
    // Stale contents must not matter, in ordinary and in kernel memory.
    for (const buffer of [new Uint8Array(n).fill(7), createMaskBuffer(n)])
      for (let draw = 0; draw < 2; draw++) {
        expect(stream.bernoulli(n, keep, buffer)).toBe(buffer);
        expect([...buffer]).toEqual([...plain]);
      }
  }
});
