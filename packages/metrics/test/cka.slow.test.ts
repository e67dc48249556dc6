/** What the debiased CKA and its test claim of themselves, over many draws. */
import { rng } from '@grok/core';
import { Matrix } from 'ml-matrix';
import { expect, it } from 'vitest';
import { cka, ckaTest, debiasedCka } from '../src/index.js';
import { average } from '../src/sample.js';
import { gaussian } from './draws.js';

it('independent Gaussian data, n = 32, d = 64: unbiased, and inside its null as often as it says', () => {
  const draws = Array.from({ length: 1000 }, (_, i) => {
    const [x, y] = [gaussian(`x${i}`, 32, 64), gaussian(`y${i}`, 32, 64)];
    return ckaTest(x, y, { rng: rng(i), permutations: 399, resamples: 0 });
  });
  const inside = draws.filter(
    (d) => d.debiased >= d.null.interval[0] && d.debiased <= d.null.interval[1],
  );
  const [debiased, biased] = [
    average(draws.map((d) => d.debiased)),
    average(draws.map((d) => d.biased)),
  ];
  console.log(
    `debiased ${debiased.toFixed(4)}, biased ${biased.toFixed(4)}, inside the null ${inside.length / 10} %`,
  );
  expect(Math.abs(debiased)).toBeLessThan(0.005);
  expect(biased).toBeCloseTo(0.67, 1);
  expect(Math.abs(inside.length / 1000 - 0.95)).toBeLessThan(0.02);
});

it('the half-sampling interval holds the population value about as often as it says', () => {
  // y = x·w + noise with x standard normal: Σ_xy = w, Σ_y = wᵀw + I.
  const [n, d] = [80, 5];
  const w = gaussian('w', d, d);
  const square = (m: Matrix) => m.to1DArray().reduce((sum, v) => sum + v * v, 0);
  const sigma = Matrix.add(w.transpose().mmul(w), Matrix.eye(d));
  const truth = square(w) / Math.sqrt(d * square(sigma));
  const trials = 200;
  let held = 0;
  let [debiased, biased] = [0, 0];
  for (let i = 0; i < trials; i++) {
    const x = gaussian(`cx${i}`, n, d);
    const y = x.mmul(w).add(gaussian(`cy${i}`, n, d));
    const { interval } = ckaTest(x, y, { rng: rng(i), permutations: 1, resamples: 200 });
    if (interval[0] <= truth && truth <= interval[1]) held++;
    debiased += debiasedCka(x, y) / trials;
    biased += cka(x, y) / trials;
  }
  console.log(
    `population ${truth.toFixed(4)}, debiased ${debiased.toFixed(4)}, biased ${biased.toFixed(4)}, held ${(100 * held) / trials} %`,
  );
  expect(Math.abs(debiased - truth)).toBeLessThan(Math.abs(biased - truth));
  expect(held / trials).toBeGreaterThan(0.9);
});
