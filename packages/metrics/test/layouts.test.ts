/** Layouts, alignments, paths and spectra whose answers are known, and tests that hold their level. */
import { rng } from '@grok/core';
import { Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import {
  alignProcrustes,
  ckaMatrix,
  computeTsne,
  computeUmap,
  singularSpectrum,
  testAlignment,
  traceRows,
  trustworthiness,
} from '../src/index.js';
import { average } from '../src/sample.js';
import { gaussian, rotation } from './draws.js';

/** Share of 1,000 draws whose p is at most .05. */
function level(p: (draw: number) => number): number {
  let count = 0;
  for (let draw = 0; draw < 1000; draw++) if (p(draw) <= 0.05) count++;
  return count / 1000;
}

describe('layouts', () => {
  const groups = 3;
  const x = Matrix.add(
    gaussian('points', 60, 6),
    new Matrix(Array.from({ length: 60 }, (_, i) => new Array(6).fill(20 * (i % groups)))),
  );
  const isApart = (points: readonly (readonly number[])[]): boolean => {
    const near = (i: number): number[] =>
      points
        .map((point, j) => ({
          j,
          d: Math.hypot(...point.map((v, k) => v - (points[i]?.[k] ?? 0))),
        }))
        .sort((p, q) => p.d - q.d)
        .slice(1, 6)
        .map(({ j }) => j);
    return points.every((_, i) => near(i).every((j) => j % groups === i % groups));
  };
  it('of UMAP keep groups apart, and are the same for the same draws', async () => {
    const { points } = await computeUmap(x, { rng: rng(4), rounds: 100 });
    // As Node has them: this test runs in browsers too.
    const known = [
      [-6.23809338, 1.75517273],
      [-5.79312134, 2.51773834],
      [-5.12008286, -3.56738567],
    ];
    for (const [i, point] of [points[0], points[30], points[59]].entries())
      for (const [axis, v] of (point ?? []).entries())
        expect(v).toBeCloseTo(known[i]?.[axis] ?? Number.NaN, 4);
    expect(isApart(points)).toBe(true);
    expect(trustworthiness(x, points)).toBeGreaterThan(0.85);
    expect((await computeUmap(x, { rng: rng(4), rounds: 100 })).points).toEqual(points);
    expect((await computeUmap(x, { rng: rng(5), rounds: 100 })).points).not.toEqual(points);
  });
  it('of t-SNE keep groups apart', () => {
    expect(isApart(computeTsne(x, { perplexity: 10, rounds: 500 }).points)).toBe(true);
  });
  it('at random have a trustworthiness of .5 on average', () => {
    const values = Array.from({ length: 50 }, (_, i) => trustworthiness(x, gaussian(i, 60, 2)));
    expect(Math.abs(average(values) - 0.5)).toBeLessThan(0.02);
  });
  it.each([
    [() => computeTsne(gaussian('many', 1001, 2)), 't-SNE: needs 4 to 1000 rows, got 1001'],
    [() => computeTsne(x, { perplexity: 60 }), 'perplexity must be from 1 to 59, got 60'],
    [
      () => trustworthiness(x, x, 30),
      'neighbors must be an integer from 1 to less than half of 60',
    ],
  ])('name what they cannot lay out', (call, message) => {
    expect(call).toThrow(message);
  });
  it('of UMAP name neighbors that there are not', async () => {
    await expect(computeUmap(x, { rng: rng(0), neighbors: 60 })).rejects.toThrow(
      'neighbors must be an integer from 2 to 59, got 60',
    );
  });
});

describe('alignment', () => {
  it('turns a rotated copy back, also one of another width', () => {
    const x = gaussian('x', 20, 4);
    const turned = x.mmul(rotation('turn', 4).transpose());
    const wide = Matrix.zeros(20, 6).setSubMatrix(turned, 0, 1);
    for (const y of [turned, wide]) {
      const { aligned, target, distance } = alignProcrustes(x, y);
      expect(distance).toBeCloseTo(0, 9);
      for (const [i, row] of aligned.entries())
        for (const [j, v] of row.entries()) expect(v).toBeCloseTo(target[i]?.[j] ?? 0, 9);
    }
    expect(testAlignment(x, turned, { rng: rng(0) }).null.p).toBe(0.01);
  });
  it('of unrelated rows is below .05 in 5 %', () => {
    const found = level((i) => {
      const [x, y] = [gaussian(`x${i}`, 8, 2), gaussian(`y${i}`, 8, 2)];
      return testAlignment(x, y, { rng: rng(i), permutations: 19 }).null.p;
    });
    expect(Math.abs(found - 0.05)).toBeLessThan(0.02);
  });
});

describe('CKA of all layers', () => {
  it('is 1 of a layer with its turned copy, and has a null (catches: a transposed matrix)', () => {
    const [x, y] = [gaussian('x', 30, 4), gaussian('y', 30, 4)];
    const turned = x.mmul(rotation('turn', 4).transpose());
    const found = ckaMatrix({ x, y }, { y, other: gaussian('z', 30, 4), turned }, { rng: rng(0) });
    expect([found.rows, found.columns]).toEqual([
      ['x', 'y'],
      ['y', 'other', 'turned'],
    ]);
    expect(found.cka[0]?.[2]).toBeCloseTo(1, 9);
    expect(found.cka[1]?.[0]).toBeCloseTo(1, 9);
    expect(found.null.p[0]?.[2]).toBe(0.01);
    expect(found.null.p[0]?.[1]).toBeGreaterThan(0.05);
    expect(Math.abs(found.null.cka[0]?.[1] ?? 1)).toBeLessThan(0.05);
  });
});

describe('singular spectra', () => {
  it('count the directions that were put in', () => {
    const directions = rotation('right', 8).subMatrixRow([0, 1]);
    const planted = gaussian('left', 60, 2).mmul(directions);
    const x = Matrix.add(Matrix.mul(planted, 4), gaussian('noise', 60, 8));
    const found = singularSpectrum(x, { rng: rng(0) });
    expect(found.above).toBe(2);
    expect(found.null.p).toBe(0.01);
    expect(found.values).toHaveLength(8);
    // Catches: weights centered as if they were activations.
    const shifted = Matrix.add(gaussian('w', 20, 4), 5);
    const [weights = 0] = singularSpectrum(shifted, { rng: rng(0), centered: false }).values;
    const [states = 0] = singularSpectrum(shifted, { rng: rng(0) }).values;
    expect(weights).toBeGreaterThan(4 * states);
  });
  it('of independent entries are below .05 in 5 %', () => {
    const found = level(
      (i) => singularSpectrum(gaussian(i, 10, 3), { rng: rng(i), permutations: 19 }).null.p,
    );
    expect(Math.abs(found - 0.05)).toBeLessThan(0.02);
  });
});

describe('trajectories', () => {
  const start = gaussian('start', 5, 4);
  const straight = [0, 1, 4, 9].map((step) => ({ step, rows: Matrix.add(start, step) }));
  it('of rows that go straight have no detour; the crossing is marked', () => {
    const found = traceRows(straight, { crossing: 3 });
    expect(found).toMatchObject({ steps: [0, 1, 4, 9], crossing: 2 });
    for (const value of found.detour) expect(value).toBeCloseTo(1, 9);
    expect(found.points.map((rows) => rows.length)).toEqual([5, 5, 5, 5]);
    expect(found.points[0]?.[0]).toHaveLength(2);
    expect(found.explained[0]).toBeGreaterThan(0.5);
    expect(traceRows(straight).crossing).toBeNull();
    expect(traceRows(straight, { crossing: 10 }).crossing).toBeNull();
  });
  it('of a random walk have the detour of chance', () => {
    const steps = [0, 1, 2, 4, 8, 16, 32];
    let rows = gaussian(0, 3, 400);
    const walk = steps.map((step, i) => {
      if (i > 0) {
        const moved = gaussian(step, 3, 400);
        rows = Matrix.add(rows, Matrix.mul(moved, Math.sqrt(step - (steps[i - 1] ?? 0))));
      }
      return { step, rows };
    });
    const { detour, chance } = traceRows(walk);
    for (const value of detour) expect(Math.abs(value / chance - 1)).toBeLessThan(0.1);
  });
  it.each([
    [straight.slice(1, 2), 'need at least 2 states, got 1'],
    [straight.toReversed(), 'ascending steps, got widths 4,4,4,4 at steps 9,4,1,0'],
    [[...straight, { step: 10, rows: gaussian('few', 4, 4) }], '5 and 4 rows'],
  ])('name states that do not fit', (states, message) => {
    expect(() => traceRows(states)).toThrow(message);
  });
});
