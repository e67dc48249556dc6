/**
 * The real Fourier basis of Z_n and the spectra of embeddings and neurons (Nanda et al. 2023, arXiv
 * 2301.05217, sections 3 and 4). Frequencies are k = 1 … ⌊n/2⌋; an even n has the half frequency
 * n/2, with a cosine only.
 */
import type { HostArray } from '@grok/core';
import { dropRounding } from '@grok/core/internal';
import type { CyclicGroup, Grid } from './modular.js';
import { addScaled, gini } from './sample.js';

/**
 * Orthonormal rows `[n, n]`, row-major: constant, cos₁, sin₁, cos₂, sin₂, … so that row i has frequency
 * ⌈i/2⌉.
 */
export function fourierBasis(n: number): Float64Array {
  const basis = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const k = Math.ceil(i / 2);
    const norm = Math.sqrt((k === 0 || 2 * k === n ? 1 : 2) / n);
    const wave = i % 2 === 1 || i === 0 ? Math.cos : Math.sin;
    // k·x modulo n keeps the angle small, and the cosine exact to rounding.
    for (let x = 0; x < n; x++) basis[i * n + x] = norm * wave((2 * Math.PI * ((k * x) % n)) / n);
  }
  return basis;
}

/** The highest frequency, ⌊n/2⌋. */
export function highest(order: number): number {
  return Math.floor(order / 2);
}

/** Norm of each frequency component of a function. */
export interface Spectrum {
  /** Norm of the mean. */
  readonly constant: number;
  /** Norm in span(cos_k, sin_k); index i has frequency k = i + 1. */
  readonly frequencies: readonly number[];
  /**
   * Gini coefficient of these norms: near 0 before grokking, near 1 if few frequencies carry the function; NaN
   * for a constant.
   */
  readonly gini: number;
}

/** Fourier spectrum of the rows of an embedding `[vocabulary, d]` over the group, without other tokens. */
export function embeddingSpectrum(embedding: HostArray, group: CyclicGroup): Spectrum {
  const d = embedding.shape[1] ?? 1;
  const n = group.order;
  const values = new Float64Array(n * d);
  for (const [x, residue] of group.residues.entries())
    values.set(embedding.data.subarray(residue * d, (residue + 1) * d), x * d);
  const coefficients = alongFirst(fourierBasis(n), values, n); // [n, d]
  const squares = new Float64Array(highest(n) + 1);
  for (const [at, value] of coefficients.entries())
    squares[Math.ceil(Math.floor(at / d) / 2)]! += value ** 2;
  const all = squares.reduce((sum, square) => sum + square, 0);
  const [constant = 0, ...frequencies] = Array.from(squares, (square) =>
    Math.sqrt(dropRounding(square, all)),
  );
  return { constant, frequencies, gini: gini(frequencies) };
}

/** Squared Fourier coefficients of a grid, by frequency of x and y: `[K + 1, K + 1, width]` with K = ⌊n/2⌋. */
export interface Powers {
  /** Order n of the group. */
  readonly order: number;
  readonly highest: number;
  readonly width: number;
  /** Power of channel c at frequencies (kx, ky); frequency 0 is the constant. */
  at(kx: number, ky: number, channel: number): number;
  /** Power of a channel without its mean: its variance times n². */
  total(channel: number): number;
}

/** The two-dimensional Fourier powers of every channel of a grid. */
export function gridPowers(grid: Grid): Powers {
  const { order: n, width } = grid;
  const basis = fourierBasis(n);
  const half = alongFirst(basis, grid.data, n); // [n, n·width], over x
  const side = highest(n) + 1;
  const power = new Float64Array(side * side * width);
  const totals = new Float64Array(width);
  for (let i = 0; i < n; i++) {
    const row = alongFirst(basis, half.subarray(i * n * width, (i + 1) * n * width), n); // [n, width], over y
    for (let j = 0; j < n; j++) {
      const to = (Math.ceil(i / 2) * side + Math.ceil(j / 2)) * width;
      for (let c = 0; c < width; c++) {
        const square = row[j * width + c]! ** 2;
        power[to + c]! += square;
        if (i + j > 0) totals[c]! += square;
      }
    }
  }
  return {
    order: n,
    highest: side - 1,
    width,
    at: (kx, ky, channel) => power[(kx * side + ky) * width + channel]!,
    total: (channel) => totals[channel]!,
  };
}

/** The product of a row-major `[n, n]` with `[n, m]`, four rows at once, in columns that fit the cache. */
function alongFirst(basis: Float64Array, values: Float64Array, n: number): Float64Array {
  const m = values.length / n;
  const out = new Float64Array(values.length);
  const tile = 256;
  for (let start = 0; start < m; start += tile)
    for (let i = 0; i < n; i++) {
      const columns = [start, Math.min(start + tile, m)] as const;
      const factors = basis.subarray(i * n, (i + 1) * n);
      addRows(out.subarray(i * m, (i + 1) * m), factors, values, columns);
    }
  return out;
}

/** Adds Σ factors[x]·values[x, j] over x to out[j], for the columns j from `start` to `end`. */
function addRows(
  out: Float64Array,
  factors: Float64Array,
  values: Float64Array,
  [start, end]: readonly [number, number],
): void {
  const [m, whole] = [out.length, factors.length - (factors.length % 4)];
  for (let x = 0; x < whole; x += 4) {
    const [a = 0, b = 0] = [factors[x], factors[x + 1]];
    const [c = 0, d = 0] = [factors[x + 2], factors[x + 3]];
    const [at, bt, ct, dt] = [x * m, (x + 1) * m, (x + 2) * m, (x + 3) * m];
    for (let j = start; j < end; j++)
      out[j]! +=
        a * values[at + j]! + b * values[bt + j]! + c * values[ct + j]! + d * values[dt + j]!;
  }
  for (const [k, factor] of factors.subarray(whole).entries()) {
    const row = (whole + k) * m;
    addScaled(out.subarray(start, end), factor, values.subarray(row + start, row + end));
  }
}
