/** Equality up to rounding is relative to the inputs of a value, and groups of ties do not chain. */
import { describe, expect, it } from 'vitest';
import {
  chooseTolerance,
  difference,
  dropRounding,
  isConstant,
  mergeTies,
  ROUNDING,
  ranks,
} from '../../src/internal.js';

describe('rounding', () => {
  it('is small relative to what was subtracted, not to the result', () => {
    expect(difference(0.1 + 0.2, 0.3)).toBe(0);
    expect(dropRounding(1e-14, 1)).toBe(0);
    expect(dropRounding(1e-14, 1e-14)).toBe(1e-14);
    expect(difference(1 + 1e-9, 1)).not.toBe(0);
    expect(dropRounding(Number.NaN, 1)).toBeNaN();
  });
  it('uses float32’s tolerance when every value is a float32', () => {
    expect(chooseTolerance(Float32Array.of(0.1, 0.7))).toBe(ROUNDING.float32);
    expect(chooseTolerance([0.1, Math.fround(0.7)])).toBe(ROUNDING.float64);
  });
  it('does not turn a constant sample into a varying one', () => {
    expect(isConstant([0.3, 0.1 + 0.2, 0.3])).toBe(true);
    expect(isConstant([1, 1 + 1e-9])).toBe(false);
    expect(isConstant([1, Number.NaN])).toBe(false);
    expect(isConstant([])).toBe(true);
  });
});

describe('ties', () => {
  it('share a rank up to rounding; NaN has none', () => {
    expect([...ranks([0.3, 1, 0.1 + 0.2, 0.2])]).toEqual([2.5, 4, 2.5, 1]);
    expect([...ranks([3, Number.NaN, 1])]).toEqual([2, Number.NaN, 1]);
    expect([...mergeTies([0.1 + 0.2, 0.3, Number.NaN, -1])]).toEqual([0.3, 0.3, Number.NaN, -1]);
  });
  it('may be relative to a larger magnitude than their own', () => {
    expect([...ranks([1e-14, 3e-14, 1], { magnitude: 1 })]).toEqual([1.5, 1.5, 3]);
    expect([...ranks([1e-14, 3e-14])]).toEqual([1, 2]);
  });
  it('do not chain: many values one tolerance apart are not all tied', () => {
    const dense = Float64Array.from({ length: 5000 }, (_, i) => i * 5e-7);
    expect(ranks(dense, { magnitude: 1, tolerance: ROUNDING.float32 }).at(-1)).toBeGreaterThan(
      4990,
    );
  });
});
