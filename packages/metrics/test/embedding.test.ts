/** Embeddings and patterns whose inside is known. */
import type { HostArray } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { computePca, meanPatterns, viewEmbedding } from '../src/index.js';

/** An embedding `[p + 2, width]` that holds residue x at turn k·x/p in two directions, and noise of none. */
function onCircle(p: number, k: number, width = 8): HostArray {
  const data = new Float32Array((p + 2) * width);
  for (let x = 0; x < p; x++) {
    const angle = (2 * Math.PI * k * x) / p;
    data[x * width + 1] = 3 * Math.cos(angle);
    data[x * width + 5] = 3 * Math.sin(angle);
  }
  return { shape: [p + 2, width], dtype: 'float32', data };
}
const radii = (points: readonly (readonly number[])[] = []): number[] =>
  points.map((point) => Math.hypot(...point));

describe('views of an embedding', () => {
  it('put a circle of one frequency on a circle (catches: a frequency off by one, a skewed projection)', () => {
    const picture = viewEmbedding(onCircle(23, 5), { modular: { p: 23, op: 'add' } });
    expect(picture.circles).toHaveLength(11);
    expect(picture.spectrum.indexOf(Math.max(...picture.spectrum))).toBe(4);
    for (const radius of radii(picture.circles[4])) expect(radius).toBeCloseTo(3, 4);
    for (const radius of radii(picture.principal)) expect(radius).toBeCloseTo(3, 4);
    const [x = 0, y = 1] = picture.circles[4]?.[0] ?? [];
    expect(x).toBeCloseTo(3, 4);
    expect(y).toBeCloseTo(0, 4);
  });

  it('order products by logarithm (catches: residues of a product taken as they are)', () => {
    const picture = viewEmbedding(onCircle(23, 5), { modular: { p: 23, op: 'div' } });
    expect(picture.residues).toHaveLength(22);
    expect(picture.residues.slice(0, 4)).toEqual([1, 5, 2, 10]);
    expect(picture.circles[0]).toHaveLength(22);
  });

  it('are empty where there is no group (catches: a page that fails on other tasks)', () => {
    expect(viewEmbedding(onCircle(5, 1), {})).toEqual({
      residues: [],
      spectrum: [],
      principal: [],
      circles: [],
    });
  });

  it('average attention over rows, head by head (catches: heads and rows mixed up)', () => {
    const data = Float32Array.of(1, 0, 0.5, 0.5, 1, 0, 0, 1, 1, 0, 0.1, 0.9, 1, 0, 1, 0);
    const found = meanPatterns({ shape: [2, 2, 2, 2], dtype: 'float32', data });
    expect(found.map((head) => head.map((value) => +value.toFixed(4)))).toEqual([
      [1, 0, 0.3, 0.7],
      [1, 0, 0.5, 0.5],
    ]);
  });
});

describe('principal components', () => {
  // numpy: u, s, vt = np.linalg.svd(x - x.mean(0)); signs by the largest loading.
  const x = [
    [2, 0, 1],
    [0, 1, 3],
    [4, 1, 0],
    [1, 5, 2],
  ];
  it('are those of NumPy (catches: rows not centered, components in another order or mirrored)', () => {
    const { scores, explained } = computePca(x, 2);
    expect(scores.map((row) => row.map((value) => +value.toFixed(6)))).toEqual([
      [-1.647504, -0.775361],
      [0.948959, -2.225213],
      [-2.340872, 1.540024],
      [3.039418, 1.46055],
    ]);
    expect(explained.map((share) => +share.toFixed(6))).toEqual([0.643247, 0.3529]);
  });
  it('are as many as there are dimensions at most (catches: columns of undefined)', () => {
    expect(computePca(x, 9).scores[0]).toHaveLength(3);
  });
});
