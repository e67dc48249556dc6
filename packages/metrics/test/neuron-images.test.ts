/** Images of neurons that were put in, and noise. */
import { rng, type Task } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { neuronImages } from '../src/index.js';
import { gaussian, host } from './draws.js';

/** All pairs of an operation modulo p: addition, or division with b ≥ 1. */
function makeTask(p: number, op: 'add' | 'div'): Task {
  const least = op === 'div' ? 1 : 0;
  const pairs = Array.from({ length: p * (p - least) }, (_, row) => [
    Math.floor(row / (p - least)),
    (row % (p - least)) + least,
  ]);
  const answer = (a: number, b: number): number =>
    op === 'add' ? (a + b) % p : ([...new Array(p).keys()].find((c) => (c * b) % p === a) ?? 0);
  return {
    vocabulary: p + 2,
    inputs: {
      data: Int32Array.from(pairs.flatMap(([a = 0, b = 0]) => [a, p, b, p + 1])),
      shape: [pairs.length, 4],
      dtype: 'int32',
    },
    labels: Int32Array.from(pairs, ([a = 0, b = 0]) => answer(a, b)),
    show: String,
    modular: { p, op },
  };
}

describe('images of neurons', () => {
  const p = 13;
  const task = makeTask(p, 'add');
  const rows = task.labels.length;
  const wave = (k: number, x: number): number => Math.cos((2 * Math.PI * k * x) / p);
  const values = Array.from({ length: rows }, (_, row) => {
    const [a, b] = [Math.floor(row / p), row % p];
    return [0.1 * wave(2, a), 3 * wave(4, a) * wave(4, b), 7];
  });
  const activations = host([rows, 3], values.flat());

  it('show the wave that was put in, its frequency, and the rows that it answers', () => {
    const found = neuronImages(task, activations, { rng: rng(0), most: 2, strongest: 3 });
    expect(found.neurons.map(({ neuron }) => neuron)).toEqual([1, 0]);
    const [strong, weak] = found.neurons;
    expect(strong?.image[0]).toBeCloseTo(3, 5);
    expect(strong?.image[p + 2]).toBeCloseTo(3 * wave(4, 1) * wave(4, 2), 5);
    expect(strong?.std).toBeCloseTo(1.5, 2);
    expect(strong?.strongest[0]).toEqual({ row: 0, a: 0, b: 0, label: 0, activation: 3 });
    expect(strong?.spectrum).toMatchObject({ frequency: 4, side: 7, null: { p: 0.01 } });
    expect(strong?.spectrum?.share).toBeCloseTo(1, 6);
    expect(strong?.spectrum?.shares[4 * 7 + 4]).toBeCloseTo(1, 6);
    expect(weak?.spectrum?.shares[2 * 7]).toBeCloseTo(1, 6);
    const [constant] = neuronImages(task, activations, { rng: rng(0), neurons: [2] }).neurons;
    expect(constant?.spectrum).toMatchObject({ frequency: 0, share: 0, null: { p: 1 } });
  });

  it('have holes where the task has no pair, and the order in which products are sums', () => {
    const division = makeTask(5, 'div');
    const whole = host([20, 1], [...division.labels]);
    const found = neuronImages(division, whole, { rng: rng(0) });
    expect(found.residues).toEqual([1, 2, 4, 3]);
    expect(found.neurons[0]?.image.slice(5, 10)).toEqual([null, 1, 3, 2, 4]); // 1/b modulo 5
  });

  it('of noise are below .05 in 5 %', () => {
    const small = makeTask(7, 'add');
    const noise = gaussian('noise', 49, 1000).to1DArray();
    const options = { rng: rng(0), most: 1000, permutations: 99 };
    const { neurons } = neuronImages(small, host([49, 1000], noise), options);
    const below = neurons.filter(({ spectrum }) => (spectrum?.null.p ?? 0) <= 0.05).length;
    expect(Math.abs(below / 1000 - 0.05)).toBeLessThan(0.02);
  });

  it.each([
    [{ neurons: [3] }, activations, 'neurons must be integers from 0 to 2, got 3'],
    [{}, host([2, 1], [1, 2]), 'need [rows, neurons] over all 169 rows'],
  ])('name what does not fit', (options, given, message) => {
    expect(() => neuronImages(task, given, { rng: rng(0), ...options })).toThrow(message);
  });
});
