/** Fourier measures on constructed models whose frequencies are known. */
import { type HostArray, rng, type Task } from '@grok/core';
import { describe, expect, it } from 'vitest';
import {
  answer,
  type CyclicGroup,
  cyclicGroup,
  embeddingSpectrum,
  explainedNeurons,
  fourierBasis,
  frequencyOverlap,
  type Grid,
  gridPowers,
  keyFrequencies,
  layOutGrid,
  locateCells,
  neuronFrequencies,
  progressLosses,
} from '../src/index.js';
import { takeLabels } from '../src/rows.js';
import { addScaled, dot } from '../src/sample.js';
import { host } from './draws.js';

/** All rows of an operation, labels by brute force. */
function makeTask(op: string, p: number): Task {
  const tokens: number[] = [];
  const labels: number[] = [];
  for (let a = 0; a < p; a++)
    for (let b = op === 'div' ? 1 : 0; b < p; b++) {
      tokens.push(a, p, b, p + 1);
      const product = (c: number) => (op === 'mul' ? a * b : b * c) % p;
      const results: Record<string, () => number> = {
        add: () => (a + b) % p,
        sub: () => (a - b + p) % p,
        mul: () => product(0),
        div: () => Array.from({ length: p }, (_, c) => c).findIndex((c) => product(c) === a),
      };
      labels.push(Number(results[op]?.()));
    }
  return {
    vocabulary: p + 2,
    inputs: { data: Int32Array.from(tokens), shape: [labels.length, 4], dtype: 'int32' },
    labels: Int32Array.from(labels),
    show: String,
    modular: { p, op },
  };
}
const allRows = (task: Task) => Int32Array.from(task.labels, (_, i) => i);

/** values + factor · others. */
function plus(values: Float64Array, others: ArrayLike<number>, factor = 1): Float64Array {
  const sum = values.slice();
  addScaled(sum, factor, others);
  return sum;
}
/** Values over a group's pairs. */
function gridFrom(
  order: number,
  width: number,
  of: (x: number, y: number, c: number) => number,
): Grid {
  const data = new Float64Array(order * order * width);
  for (let i = 0; i < data.length; i++)
    data[i] = of(Math.floor(i / width / order), Math.floor(i / width) % order, i % width);
  return { order, width, data };
}
const wave = (n: number, k: number, x: number) => Math.cos((2 * Math.PI * k * x) / n);
/** Logits Σ amplitude·cos(2πk(answer − z)/n) over residues, and 0 for the two signs. */
function makeLogits(group: CyclicGroup, p: number, keys: Record<number, number>): Grid {
  const element = new Map(group.residues.map((r, z) => [r, z]));
  return gridFrom(group.order, p + 2, (x, y, c) => {
    const z = element.get(c);
    if (z === undefined) return 0;
    const at = answer(group, x, y) - z;
    return Object.entries(keys).reduce(
      (sum, [k, a]) => sum + a * wave(group.order, Number(k), at),
      0,
    );
  });
}

describe('the group behind an operation', () => {
  it.each(['add', 'sub', 'mul', 'div'])('%s: answers are the labels', (op) => {
    const task = makeTask(op, 13);
    const group = cyclicGroup(task);
    const cells = locateCells(group, task, allRows(task));
    let seen = 0;
    for (const [row, cell] of cells.entries()) {
      if (cell < 0) continue;
      const z = answer(group, Math.floor(cell / group.order), cell % group.order);
      expect(group.residues[z]).toBe(task.labels[row]);
      seen++;
    }
    expect(seen).toBe(group.order ** 2);
  });
  it('takes the least generator', () => {
    expect(cyclicGroup(makeTask('mul', 7)).generator).toBe(3);
    expect(cyclicGroup({ modular: { p: 97, op: 'div' } }).generator).toBe(5);
    expect(cyclicGroup({ modular: { p: 97, op: 'add' } }).generator).toBeNull();
  });
  it('explains what it cannot analyze', () => {
    expect(() => cyclicGroup({})).toThrow('got "none"');
    expect(() => cyclicGroup({ modular: { p: 9, op: 'mul' } })).toThrow('prime modulus, got 9');
  });
  it('lays rows out in any order, and misses none', () => {
    const task = makeTask('div', 5);
    const group = cyclicGroup(task);
    const rows = rng(1).permutation(task.labels.length);
    const labels = host([rows.length, 1], takeLabels(task, rows));
    const grid = layOutGrid(group, task, rows, labels);
    for (let cell = 0; cell < grid.data.length; cell++) {
      const z = answer(group, Math.floor(cell / 4), cell % 4);
      expect(grid.data[cell]).toBe(group.residues[z]);
    }
    const half = rows.subarray(0, 10);
    expect(() => layOutGrid(group, task, half, host([10, 1], new Float32Array(10)))).toThrow(
      'training and validation',
    );
  });
});

describe('the basis', () => {
  it.each([7, 8])('is orthonormal for n = %i (an even n has a lone cosine)', (n) => {
    const basis = fourierBasis(n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const [row, other] = [i, j].map((k) => basis.subarray(k * n, (k + 1) * n));
        expect(row && other && dot(row, other)).toBeCloseTo(Number(i === j), 12);
      }
  });
  it('keeps power: Parseval over both axes', () => {
    const grid = gridFrom(9, 2, (x, y, c) => Math.sin(x * x + 3 * y + c));
    const powers = gridPowers(grid);
    const square = grid.data.filter((_, i) => i % 2 === 0).reduce((sum, v) => sum + v * v, 0);
    expect(powers.total(0) + powers.at(0, 0, 0)).toBeCloseTo(square, 10);
  });
});

describe('embedding spectrum', () => {
  it('finds the circle of a product in the order of logarithms, not of residues', () => {
    const group = cyclicGroup({ modular: { p: 13, op: 'mul' } });
    const values = new Float32Array(15 * 2).fill(9); // 0, OP and EQ must not matter
    for (const [x, residue] of group.residues.entries()) {
      values[residue * 2] = Math.cos((2 * Math.PI * 5 * x) / 12);
      values[residue * 2 + 1] = Math.sin((2 * Math.PI * 5 * x) / 12);
    }
    const spectrum = embeddingSpectrum(host([15, 2], values), group);
    expect(spectrum.frequencies.length).toBe(6);
    for (const [i, norm] of spectrum.frequencies.entries())
      expect(norm).toBeCloseTo(i === 4 ? Math.sqrt(12) : 0, 5);
    expect(spectrum.constant).toBeCloseTo(0, 5);
    expect(spectrum.gini).toBeCloseTo(5 / 6, 5);
  });
  it('reports a common offset as the constant only', () => {
    const group = cyclicGroup({ modular: { p: 7, op: 'add' } });
    const spectrum = embeddingSpectrum(host([9, 1], new Float32Array(9).fill(2)), group);
    expect(spectrum.constant).toBeCloseTo(2 * Math.sqrt(7), 5);
    for (const norm of spectrum.frequencies) expect(norm).toBeCloseTo(0, 5);
  });
});

describe('key frequencies', () => {
  it.each(['add', 'sub', 'mul', 'div'])('%s: exactly those of the logits, in order', (op) => {
    const group = cyclicGroup({ modular: { p: 23, op } });
    const keys = keyFrequencies(gridPowers(makeLogits(group, 23, { 3: 2, 7: 3, 10: 1 })));
    expect(keys.map(({ frequency }) => frequency)).toEqual([7, 3, 10]);
    expect(keys.map(({ share }) => share * 14)).toEqual([9, 4, 1].map((s) => expect.closeTo(s, 8)));
  });
  it('noise below 1 % of the variance is no key, and the rule can be changed', () => {
    const group = cyclicGroup({ modular: { p: 23, op: 'add' } });
    const clean = makeLogits(group, 23, { 2: 1, 9: 0.09 });
    const noise = rng(0).normal(clean.data.length);
    const noisy = { ...clean, data: plus(clean.data, noise, 0.1) };
    expect(keyFrequencies(gridPowers(noisy)).map((k) => k.frequency)).toEqual([2]);
    const more = keyFrequencies(gridPowers(clean), { share: 0.005 });
    expect(more.map((k) => k.frequency)).toEqual([2, 9]);
    expect(keyFrequencies(gridPowers(clean), { share: 0, most: 1 })).toHaveLength(1);
  });
  it('finds the half frequency of an even group', () => {
    const group = cyclicGroup({ modular: { p: 13, op: 'div' } });
    const keys = keyFrequencies(gridPowers(makeLogits(group, 13, { 6: 1 })));
    expect(keys).toEqual([{ frequency: 6, share: expect.closeTo(1, 10) }]);
  });
});

describe('neurons', () => {
  const at = (grid: Grid) => neuronFrequencies(gridPowers(grid), grid.order);
  it('a polynomial of degree 2 in one frequency is explained by it', () => {
    const n = 23;
    const [first] = at(
      gridFrom(n, 1, (x, y) => (1 + wave(n, 4, x) + 0.5 * wave(n, 4, y - 3)) ** 2),
    );
    expect(first).toEqual({ frequency: 4, share: expect.closeTo(1, 10) });
  });
  it('two frequencies share it; a constant has none', () => {
    const n = 23;
    const found = at(
      gridFrom(n, 2, (x, y, c) => (c === 0 ? 2 * wave(n, 4, x) + wave(n, 9, y) : 5)),
    );
    expect(found[0]).toEqual({ frequency: 4, share: expect.closeTo(0.8, 10) });
    expect(found[1]).toEqual({ frequency: 0, share: 0 });
    expect(explainedNeurons(found)).toBe(0);
    expect(explainedNeurons(found, 0.75)).toBe(0.5);
  });
  it('a wave of x alone is its own frequency, not the double of another, under noise too', () => {
    const n = 23;
    const noise = rng(4).normal(n * n * 11);
    const found = at(
      gridFrom(n, 11, (x, y, c) => wave(n, c + 1, x) + 0.1 * noise[(x * n + y) * 11 + c]!),
    );
    expect(found.map(({ frequency }) => frequency)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
  it('counts no wave twice where 2k folds back on k or on the constant', () => {
    for (const [n, k] of [
      [12, 4],
      [12, 6],
      [12, 3],
      [9, 3],
    ] as const) {
      const [neuron] = at(gridFrom(n, 1, (x, y) => wave(n, k, x) * (1 + wave(n, k, y))));
      expect(neuron?.share).toBeCloseTo(1, 10);
      expect(neuron?.share).toBeLessThanOrEqual(1 + 1e-12);
    }
  });
});

describe('restricted and excluded loss', () => {
  const group = cyclicGroup({ modular: { p: 23, op: 'sub' } });
  const clean = makeLogits(group, 23, { 3: 6, 7: 6 });
  const noise = rng(2).normal(clean.data.length);

  it('logits of key frequencies alone lose everything without them', () => {
    const { full, restricted, excluded } = progressLosses(clean, group, [3, 7]);
    expect(restricted).toBeCloseTo(full, 10);
    expect(excluded).toBeCloseTo(Math.log(25), 10);
  });
  it('what a model memorised is in the excluded loss, not in the restricted one', () => {
    const trained = [5, 17, 300];
    const answers = trained.map((cell) => {
      const z = answer(group, Math.floor(cell / 23), cell % 23);
      return cell * 25 + Number(group.residues[z]);
    });
    const data = clean.data.map((v, i) => (answers.includes(i) ? v + 30 : v));
    const memorised = { ...clean, data };
    const losses = progressLosses(memorised, group, [3, 7], trained);
    expect(losses.excluded).toBeLessThan(1e-3);
    const before = progressLosses(clean, group, [3, 7], trained);
    expect(Math.abs(losses.restricted - before.restricted)).toBeLessThan(0.2);
  });
  it('adding what depends on x alone, or other frequencies, leaves the restricted loss', () => {
    const moved = {
      ...clean,
      data: clean.data.map((v, i) => v + wave(23, 3, Math.floor(i / 25 / 23)) * noise[i % 25]!),
    };
    const other = { ...clean, data: plus(clean.data, logitsOf9.data) };
    const { restricted } = progressLosses(clean, group, [3, 7]);
    expect(progressLosses(moved, group, [3, 7]).restricted).toBeCloseTo(restricted, 8);
    expect(progressLosses(other, group, [3, 7]).restricted).toBeCloseTo(restricted, 8);
  });
  const logitsOf9 = makeLogits(group, 23, { 9: 2 });
  it('keeps the constants of classes, and skips rows outside the group', () => {
    const biased = { ...clean, data: clean.data.map((v, i) => (i % 25 >= 23 ? -20 : v)) };
    const [all, some] = [undefined, [-1, 0, 1]].map((c) =>
      progressLosses(biased, group, [3, 7], c),
    );
    expect(all?.restricted).toBeCloseTo(Number(all?.full), 10);
    expect(all?.excluded).toBeCloseTo(Math.log(23), 6);
    expect(some?.restricted).toBeCloseTo(Number(some?.full), 10);
  });
});

describe('overlap of frequencies', () => {
  it('has the hypergeometric null', () => {
    const overlap = frequencyOverlap([1, 2], [2, 3], 4);
    expect(overlap).toEqual({
      shared: [2],
      jaccard: 1 / 3,
      expected: 1,
      p: expect.closeTo(5 / 6, 12),
    });
  });
  it('agrees with permutations drawn one by one', () => {
    const [a, b] = [
      [1, 5, 9, 20],
      [5, 9, 30, 41, 44],
    ];
    const { p } = frequencyOverlap(a, b, 48);
    let hits = 0;
    for (let i = 0; i < 4000; i++) {
      const order = rng(3).split(i).permutation(48);
      if (a.filter((k) => b.includes(Number(order[k - 1]) + 1)).length >= 2) hits++;
    }
    expect(Math.abs(hits / 4000 - p)).toBeLessThan(0.012);
  });
  it('equal sets are as unlikely as can be, disjoint ones certain', () => {
    expect(frequencyOverlap([1, 2, 3], [1, 2, 3], 10).p).toBeCloseTo(1 / 120, 12);
    expect(frequencyOverlap([1], [2], 10).p).toBeCloseTo(1, 12);
  });
});

it('a host array of rows by classes fits the grid', () => {
  const task = makeTask('add', 5);
  const values: HostArray = host(
    [25, 3],
    Array.from({ length: 75 }, (_, i) => i),
  );
  expect([...layOutGrid(cyclicGroup(task), task, allRows(task), values).data]).toEqual([
    ...values.data,
  ]);
});
