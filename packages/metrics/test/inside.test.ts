/** Weights, neurons and gradients on cases whose answers are known. */
import { type HostParams, rng } from '@grok/core';
import { describe, expect, it } from 'vitest';
import {
  byLayer,
  computeWeightStatistics,
  describeNeurons,
  explainedShare,
  gradientNorms,
  histogram,
  noiseToSignal,
} from '../src/index.js';
import { host } from './draws.js';

const params: HostParams = {
  'embed.W_E': host([2, 2], [1, -1, 0, 1e-7]),
  'blocks.0.attn.W_Q': host([2], [3, -4]),
  'blocks.0.ln1.w': host([2], [1, 1]),
  'blocks.1.attn.W_Q': host([1], [2]),
};

describe('weights', () => {
  it('are grouped by layer, block numbers included', () => {
    expect(Object.keys(byLayer(params))).toEqual(['embed', 'blocks.0', 'blocks.1']);
    expect(Object.keys(byLayer(params)['blocks.0']!)).toEqual([
      'blocks.0.attn.W_Q',
      'blocks.0.ln1.w',
    ]);
    expect(
      Object.keys(byLayer({ 'blocks.1.w': host([1], [1]), 'blocks.10.w': host([1], [1]) })),
    ).toEqual(['blocks.1', 'blocks.10']);
  });
  it('count zeros up to 1e-6, as published', () => {
    const { all, parts } = computeWeightStatistics(params);
    expect([all.count, all.l0, all.sparsity]).toEqual([9, 7, 1 - 7 / 9]);
    expect(parts['blocks.0']).toMatchObject({ count: 4, l0: 4, l1: 9, l2: Math.sqrt(27) });
    expect(computeWeightStatistics(params, { zero: 0 }).all.l0).toBe(8);
    expect(Object.keys(computeWeightStatistics(params, { by: 'parameter' }).parts)).toEqual(
      Object.keys(params),
    );
  });
  it('kurtosis: 0 for a normal draw, −2 for two equal peaks; the mean cancels', () => {
    const draw = rng(0).normal(200_000);
    expect(computeWeightStatistics({ w: host([draw.length], draw) }).all.kurtosis).toBeCloseTo(
      0,
      1,
    );
    const peaks = { w: host([4], [999, 1001, 999, 1001]) };
    expect(computeWeightStatistics(peaks).all).toMatchObject({ kurtosis: -2, mean: 1000, std: 1 });
  });
  it('histograms count every value, the largest too', () => {
    expect(
      histogram(
        [
          [0, 1, 2],
          [3, 4],
        ],
        4,
      ),
    ).toEqual({ low: 0, high: 4, counts: [1, 1, 1, 2] });
    expect(histogram([[5, 5]], 3)).toEqual({ low: 5, high: 5, counts: [2, 0, 0] });
    const total = computeWeightStatistics(params).all.histogram.counts.reduce((a, b) => a + b);
    expect(total).toBe(9);
  });
});

describe('neurons', () => {
  const labels = Array.from({ length: 60 }, (_, i) => i % 3);
  const halves = Array.from({ length: 60 }, (_, i) => Number(i < 30));
  const noise = rng(1).normal(60);
  const activations = Array.from(noise, (value, i) => [
    (i % 3 === 1 ? 5 : 0) + 0.1 * value,
    (i < 30 ? 3 : 0) + 0.1 * value,
    value,
    i === 7 ? 1e-5 : 0,
    2,
  ]);

  it('finds what each speaks of, and those that never speak', () => {
    const report = describeNeurons(activations, { groupings: { label: labels, half: halves } });
    expect(report.count).toBe(5);
    expect(report.dead).toEqual([3, 4]); // neuron 4 is constant: it tells no row from another
    expect(report.specialised).toEqual({ label: [0], half: [1] });
    expect(report.explained.label?.[0]).toBeGreaterThan(0.95);
  });
  it('a neuron that knows nothing explains 0 on average (plain η² would say .19 of 97 labels)', () => {
    const groups = Array.from({ length: 500 }, (_, i) => i % 97);
    let sum = 0;
    for (let i = 0; i < 200; i++) sum += explainedShare(rng(2).split(i).normal(500), groups) / 200;
    expect(Math.abs(sum)).toBeLessThan(0.01);
  });
  it('one row to a group explains nothing', () => {
    expect(explainedShare([1, 2, 3], [0, 1, 2])).toBe(0);
  });
  it('refuses a grouping of another length', () => {
    expect(() => describeNeurons(activations, { groupings: { label: [1] } })).toThrow(
      'grouping "label": 1 rows',
    );
  });
});

describe('gradients', () => {
  it('norms by layer add up in squares', () => {
    const { all, layers } = gradientNorms(params);
    const squares = Object.values(layers).reduce((sum, n) => sum + n * n, 0);
    expect(all).toBeCloseTo(Math.sqrt(squares), 12);
    expect(layers['blocks.1']).toBe(2);
  });
  it('noise-to-signal is unbiased: the noise of the mean is taken off the signal', () => {
    const size = 4000;
    const truth = 0.05; // each entry: signal .05, noise 1
    const ratios = Array.from({ length: 40 }, (_, i) =>
      noiseToSignal(
        Array.from({ length: 4 }, (_, b) => ({
          'embed.W_E': host(
            [size],
            rng(3)
              .split(i)
              .split(b)
              .normal(size)
              .map((v) => v + truth),
          ),
        })),
      ),
    );
    const mean = (of: (r: (typeof ratios)[0]) => number) =>
      ratios.reduce((s, r) => s + of(r), 0) / 40;
    expect(mean((r) => r.all.noise) / size).toBeCloseTo(1, 1);
    expect(Math.abs(mean((r) => r.all.signal) - size * truth ** 2)).toBeLessThan(4); // plain ‖ḡ‖² is off by 1000
  });
  it('tells layers apart, and the same gradient twice is all signal', () => {
    const { all, layers } = noiseToSignal([params, params]);
    expect(all.noise).toBe(0);
    expect(layers['blocks.1']).toEqual({
      ...{ signal: 4, noise: 0, ratio: 0 },
      signalToNoise: Number.POSITIVE_INFINITY,
    });
    expect(() => noiseToSignal([params])).toThrow('at least 2 batches');
  });
});
