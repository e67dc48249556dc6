/** The float64 references against values worked by hand, and edge cases of the matcher. */
import { describe, expect, it } from 'vitest';
import {
  array64,
  crossEntropy64,
  findWorst,
  finiteDifferences,
  klDivergence64,
  logSoftmax64,
  matMul64,
  meanSquaredError64,
  softmax64,
} from '../src/index.js';

describe('references', () => {
  it('multiply matrices (catches: rows and columns swapped by a flag)', () => {
    const a = array64([2, 3], [1, 2, 3, 4, 5, 6]);
    const b = array64([3, 1], [1, 0, -1]);
    expect(matMul64(a, b)).toEqual(array64([2, 1], [-2, -2]));
    expect(matMul64(b, a, { transposeA: true, transposeB: true })).toEqual(
      array64([1, 2], [-2, -2]),
    );
    expect(() => matMul64(a, a)).toThrow(/does not meet/);
    expect(() => array64([2], [1])).toThrow(/needs 2/);
  });
  it('take logarithms of large numbers (catches: an overflow in exp)', () => {
    const x = array64([1, 2], [1000, 1000 - Math.log(3)]);
    expect([...logSoftmax64(x).data]).toEqual([
      expect.closeTo(Math.log(0.75), 12),
      expect.closeTo(Math.log(0.25), 12),
    ]);
    expect(softmax64(x).data[0]).toBeCloseTo(0.75, 12);
  });
  it('average over rows (catches: a mean over entries)', () => {
    const even = array64([2, 2], [0, 0, 0, 0]);
    const tilted = array64([2, 2], [Math.log(3), 0, Math.log(3), 0]);
    expect(crossEntropy64(tilted, [0, 1])).toBeCloseTo(-(Math.log(0.75) + Math.log(0.25)) / 2, 12);
    const kl = 0.5 * Math.log(0.5 / 0.75) + 0.5 * Math.log(0.5 / 0.25);
    expect(klDivergence64(even, tilted)).toBeCloseTo(kl, 12);
    expect(klDivergence64(tilted, tilted, 2)).toBeCloseTo(0, 15);
    expect(meanSquaredError64([1, 2], [3, 2])).toBe(2);
  });
  it('differentiate (catches: a point that is not restored)', () => {
    const x = Float64Array.of(1, -2);
    const slope = finiteDifferences(([a, b]) => a! ** 3 * b!, x);
    expect([...slope]).toEqual([expect.closeTo(-6, 6), expect.closeTo(1, 6)]);
    expect([...x]).toEqual([1, -2]);
  });
});

describe('closeness', () => {
  it('is measured in tolerances, at the worst entry (catches: NaN that compares as close)', () => {
    expect(findWorst([1, 2.5], [1, 2], { absolute: 0.1, relative: 0.2 })).toMatchObject({
      ratio: expect.closeTo(1),
      index: 1,
    });
    expect(findWorst([Number.NaN, 5], [1, 1]).ratio).toBe(Number.POSITIVE_INFINITY);
    expect(findWorst([5, Number.NaN], [1, Number.NaN]).index).toBe(0);
    expect(findWorst([1], [1, 2])).toMatchObject({ ratio: Number.POSITIVE_INFINITY, index: -1 });
    expect(findWorst([0], [0], { absolute: 0 }).ratio).toBe(0);
    expect(findWorst([Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY]).ratio).toBe(0);
  });
  it('is a matcher (catches: shapes that are not compared)', () => {
    const x = { shape: [2], data: Float32Array.of(1, 2) };
    expect(x).toBeCloseToTensor([1, 2.000001]);
    expect(x).not.toBeCloseToTensor([1, 2.1]);
    expect(x).not.toBeCloseToTensor({ shape: [2, 1], data: [1, 2] });
    expect(() => expect(x).toBeCloseToTensor([1, 2.1])).toThrow(/entry 1 is 2, wanted 2.1/);
  });
});
