/** Pictures of models whose inside is known. */
import type { HostArray } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { meanPatterns, pictureOf } from '../src/work/pictures.js';

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
const radii = (points: readonly number[]): number[] =>
  Array.from({ length: points.length / 2 }, (_, i) =>
    Math.hypot(points[2 * i]!, points[2 * i + 1]!),
  );

describe('pictures', () => {
  it('put a circle of one frequency on a circle (catches: a frequency off by one, a skewed projection)', () => {
    const picture = pictureOf(onCircle(23, 5), { modular: { p: 23, op: 'add' } });
    expect(picture.circles).toHaveLength(11);
    expect(picture.spectrum.indexOf(Math.max(...picture.spectrum))).toBe(4);
    for (const radius of radii(picture.circles[4]!)) expect(radius).toBeCloseTo(3, 4);
    for (const radius of radii(picture.principal)) expect(radius).toBeCloseTo(3, 4);
    const [x, y] = picture.circles[4]!.slice(0, 2) as [number, number];
    expect([x, y].map((value) => +value.toFixed(4))).toEqual([3, 0]);
  });

  it('order products by logarithm (catches: residues of a product taken as they are)', () => {
    const picture = pictureOf(onCircle(23, 5), { modular: { p: 23, op: 'div' } });
    expect(picture.residues).toHaveLength(22);
    expect(picture.residues.slice(0, 4)).toEqual([1, 5, 2, 10]);
    expect(picture.circles[0]).toHaveLength(44);
  });

  it('are empty where there is no group (catches: a page that fails on other tasks)', () => {
    expect(pictureOf(onCircle(5, 1), {})).toEqual({
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
