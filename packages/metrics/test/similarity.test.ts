/** Similarities of representations: what must not change them, and what they must not see. */
import { rng } from '@grok/core';
import { Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { cca, cka, ckaTest, debiasedCka, procrustes, pwcca, rsa, svcca } from '../src/index.js';
import { gaussian, host, rotation } from './draws.js';

const x = gaussian('x', 60, 6);
const y = x.mmul(gaussian('mix', 6, 4)).add(gaussian('noise', 60, 4));
/** 3·m rotated, and moved. */
const turned = (m: Matrix) =>
  Matrix.mul(m.mmul(rotation('turn', m.columns)), 3).addRowVector(
    Array.from({ length: m.columns }, (_, i) => i - 2),
  );

describe('CKA', () => {
  it('does not see rotation, scale or shift (forgotten centring)', () => {
    expect(cka(turned(x), y)).toBeCloseTo(cka(x, y), 12);
    expect(debiasedCka(turned(x), y)).toBeCloseTo(debiasedCka(x, y), 12);
    expect(cka(x, turned(x))).toBeCloseTo(1, 12);
    expect(debiasedCka(x, turned(x))).toBeCloseTo(1, 12);
  });
  it('is symmetric, and the debiased value is the smaller', () => {
    expect(cka(x, y)).toBeCloseTo(cka(y, x), 14);
    expect(debiasedCka(x, y)).toBeCloseTo(debiasedCka(y, x), 14);
    expect(debiasedCka(x, y)).toBeLessThan(cka(x, y));
  });
  it('takes host arrays whose leading axes are observations', () => {
    const flat = x.to1DArray();
    expect(cka(host([15, 4, 6], flat), y)).toBeCloseTo(cka(x, y), 6);
  });
  it('refuses inputs that do not pair', () => {
    expect(() => cka(x, gaussian('z', 59, 3))).toThrow('60 and 59 rows');
    expect(() => debiasedCka(gaussian('z', 3, 2), gaussian('w', 3, 2))).toThrow('at least 4 rows');
  });
  it('of a constant is NaN, not a number that could be believed', () => {
    expect(cka(x, Matrix.ones(60, 3))).toBeNaN();
  });
});

describe('CKA test', () => {
  const few = { rng: rng(0), permutations: 99, resamples: 99 };
  it('computes by kernels what the features give', () => {
    const test = ckaTest(x, y, few);
    expect(test.biased).toBeCloseTo(cka(x, y), 12);
    expect(test.debiased).toBeCloseTo(debiasedCka(x, y), 12);
  });
  it('finds a relation, and the same numbers for the same seed', () => {
    const test = ckaTest(x, y, few);
    expect(test.null.p).toBe(0.01);
    expect(test.interval[0]).toBeLessThan(test.debiased);
    expect(test.interval[1]).toBeGreaterThan(test.debiased);
    expect(test.interval[0]).toBeGreaterThan(test.null.interval[1]);
    expect(ckaTest(x, y, few)).toEqual(test);
  });
  it('independent data: the biased null is far from 0, the debiased one around it', () => {
    const test = ckaTest(gaussian('a', 32, 64), gaussian('b', 32, 64), few);
    expect(test.null.biased).toBeGreaterThan(0.6);
    expect(Math.abs(test.null.debiased)).toBeLessThan(0.03);
    expect(test.null.p).toBeGreaterThan(0.05);
  });
  it('states the means of its nulls exactly', () => {
    const [p, q] = [gaussian('p', 16, 3), gaussian('q', 16, 3).add(gaussian('p', 16, 3))];
    for (const group of [1, 2]) {
      const test = ckaTest(p, q, { ...few, group, rng: rng(1) });
      let [biased, debiased] = [0, 0];
      const draws = 1000;
      for (let i = 0; i < draws; i++) {
        const order = rng(2)
          .split(i)
          .permutation(16 / group);
        const rows = Array.from(
          { length: 16 },
          (_, r) => order[Math.floor(r / group)]! * group + (r % group),
        );
        const moved = new Matrix(rows.map((row) => q.getRow(row)));
        biased += cka(p, moved) / draws;
        debiased += debiasedCka(p, moved) / draws;
      }
      expect(Math.abs(test.null.biased - biased)).toBeLessThan(0.01);
      expect(Math.abs(test.null.debiased - debiased)).toBeLessThan(0.02);
    }
  });
  it('groups move together: what only positions share is no similarity of inputs', () => {
    const positions = gaussian('position', 4, 5);
    const withPositions = (label: string) =>
      Matrix.add(
        gaussian(label, 80, 5),
        new Matrix(Array.from({ length: 80 }, (_, i) => positions.getRow(i % 4))),
      );
    const [p, q] = [withPositions('p'), withPositions('q')];
    expect(ckaTest(p, q, few).null.p).toBe(0.01);
    expect(ckaTest(p, q, { ...few, group: 4 }).null.p).toBeGreaterThan(0.05);
  });
  it('of a constant has no p, as it has no value (the smallest p there is)', () => {
    const { debiased, null: chance } = ckaTest(x, Matrix.ones(60, 2), few);
    expect([debiased, chance.p]).toEqual([Number.NaN, Number.NaN]);
  });
  it('refuses rows that do not divide, and more than memory allows', () => {
    expect(() => ckaTest(x, y, { ...few, group: 7 })).toThrow('groups of 7');
    expect(() => ckaTest(Matrix.zeros(8193, 1), Matrix.zeros(8193, 1), few)).toThrow('8192');
  });
});

describe('canonical correlations', () => {
  it('are 1 under any invertible map', () => {
    const mapped = x.mmul(gaussian('map', 6, 6));
    for (const rho of cca(x, mapped)) expect(rho).toBeCloseTo(1, 10);
    expect(pwcca(x, mapped)).toBeCloseTo(1, 10);
    expect(svcca(x, mapped, 1).mean).toBeCloseTo(1, 10);
  });
  it('ignore a repeated column (a singular covariance gives spurious directions)', () => {
    const repeated = new Matrix(x.to2DArray().map((row) => [...row, row[0]! + row[1]!]));
    expect(cca(repeated, y).length).toBe(4);
    for (const [i, rho] of cca(repeated, y).entries()) expect(rho).toBeCloseTo(cca(x, y)[i]!, 10);
  });
  it('SVCCA leaves out what carries no variance', () => {
    const faint = new Matrix(x.to2DArray().map((row, i) => [...row, 1e-3 * y.get(i, 0)]));
    expect(svcca(faint, y).kept[0]).toBe(6);
    expect(svcca(faint, y, 1).kept[0]).toBe(7);
  });
  it('PWCCA weighs by the first representation', () => {
    const shared = x.subMatrixColumn([0]);
    const lone = gaussian('lone', 60, 1);
    const both = (scale: number) =>
      new Matrix(shared.to2DArray().map((row, i) => [...row, scale * lone.get(i, 0)]));
    const other = new Matrix(shared.to2DArray().map((row, i) => [...row, y.get(i, 3)]));
    expect(pwcca(both(0.01), other)).toBeGreaterThan(pwcca(both(100), other) + 0.2);
  });
  it('take representations wider than the rows are many', () => {
    const wide = gaussian('wide', 20, 50);
    for (const rho of cca(wide, gaussian('thin', 20, 3))) expect(rho).toBeCloseTo(1, 10);
  });
  it('of a constant have no value (a 0 would say unrelated)', () => {
    expect(cca(x, Matrix.ones(60, 3))).toEqual([Number.NaN]);
  });
});

describe('Procrustes and RSA', () => {
  it('Procrustes: 0 for the same shape turned, below 2 otherwise; widths may differ', () => {
    expect(procrustes(x, turned(x))).toBeCloseTo(0, 10);
    expect(procrustes(x, y)).toBeGreaterThan(0.1);
    expect(procrustes(x, gaussian('far', 60, 9))).toBeLessThan(2);
    expect(procrustes(x, y)).toBeCloseTo(procrustes(y, x), 12);
  });
  it('RSA: 1 under scale and a constant added to each row; order matters', () => {
    const scaled = new Matrix(x.to2DArray().map((row, i) => row.map((v) => 5 * v + i)));
    expect(rsa(x, scaled)).toBeCloseTo(1, 10);
    const shuffled = new Matrix(x.to2DArray().reverse());
    expect(Math.abs(rsa(x, shuffled))).toBeLessThan(0.2);
  });
  it('RSA: NaN with a constant row, whose correlations do not exist (a rank of .5 for each)', () => {
    // Six times .1 has a mean that is not .1.
    for (const constant of [3, 0.1]) {
      const rows = x.to2DArray().map((row, i) => (i === 5 ? row.map(() => constant) : row));
      expect(rsa(rows, y)).toBeNaN();
      expect(rsa(y, rows)).toBeNaN();
    }
  });
});
