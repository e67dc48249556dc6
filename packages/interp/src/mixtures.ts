/**
 * Mixtures of embeddings: at each free position softmax(θ / temperature) · W_E, θ climbed by Adam, and the tokens
 * that mixtures end at.
 */
import type { HostArray, Rng, Site } from '@grok/core';

const RATE = 0.5;
const DECAYS = [0.9, 0.99] as const;
const SPREAD = 2;

/** What is searched over. */
export interface Search {
  readonly embedding: HostArray;
  readonly site: Site;
  readonly width: number;
  readonly row: readonly number[];
  readonly free: readonly number[];
  readonly tokens: readonly number[];
  /** Logits of one start: positions · tokens. */
  readonly size: number;
  readonly neurons: Site;
  /** What ascends: activations, or without gates what enters the nonlinearity, which has a gradient where a ReLU has none. */
  readonly climbed: Site;
  readonly mask: HostArray;
}

/** Points in embedding space, `[starts, pos, width]`, with the tokens that they began as. */
export interface Points {
  readonly inputs: HostArray;
  readonly point: HostArray;
}

/** Logits with Adam's moments. */
export interface SearchState {
  readonly logits: Float64Array;
  readonly momentum: Float64Array;
  readonly square: Float64Array;
}

/** Logits `[starts, free, tokens]`, spread so that each start is near tokens of its own. */
export function createState(size: number, random: Rng): SearchState {
  const logits = Float64Array.from(random.split('starts').normal(size), (v) => SPREAD * v);
  return { logits, momentum: new Float64Array(size), square: new Float64Array(size) };
}

/** One step of Adam upwards, in place. */
export function climb(
  { logits, momentum, square }: SearchState,
  gradient: Float64Array,
  step: number,
): void {
  const [b1, b2] = DECAYS;
  for (const [i, slope] of gradient.entries()) {
    const m = b1 * (momentum[i] ?? 0) + (1 - b1) * slope;
    const v = b2 * (square[i] ?? 0) + (1 - b2) * slope ** 2;
    momentum[i] = m;
    square[i] = v;
    const scaled = m / (1 - b1 ** step) / (Math.sqrt(v / (1 - b2 ** step)) + 1e-12);
    logits[i] = (logits[i] ?? 0) + RATE * scaled;
  }
}

/** Softmax over each `size` logits at a temperature. */
export function softmaxRows(logits: Float64Array, size: number, temperature: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += size) {
    const part = logits.subarray(start, start + size);
    const largest = Math.max(...part);
    const weights = part.map((v) => Math.exp((v - largest) / temperature));
    const sum = weights.reduce((all, weight) => all + weight, 0);
    out.set(
      weights.map((weight) => weight / sum),
      start,
    );
  }
  return out;
}

/** The embeddings of rows of tokens. */
export function embed(search: Search, rows: readonly (readonly number[])[]): Points {
  const { embedding, width } = search;
  const point = new Float32Array(rows.length * search.row.length * width);
  for (const [i, token] of rows.flat().entries())
    point.set(embedding.data.subarray(token * width, (token + 1) * width), i * width);
  const shape = [rows.length, search.row.length];
  return {
    inputs: { data: Int32Array.from(rows.flat()), shape, dtype: 'int32' },
    point: { data: point, shape: [...shape, width], dtype: 'float32' },
  };
}

/** Mixtures of embeddings at the free positions, the row's own elsewhere. */
export function mix(search: Search, shares: Float64Array, starts: number): Points {
  const { embedding, width, row, free, tokens, size } = search;
  const points = embed(
    search,
    Array.from({ length: starts }, () => row),
  );
  const point = Float32Array.from(points.point.data);
  for (let start = 0; start < starts; start++)
    for (const [f, position] of free.entries()) {
      const at = (start * row.length + position) * width;
      const mixture = new Float64Array(width);
      for (const [t, token] of tokens.entries()) {
        const share = shares[start * size + f * tokens.length + t] ?? 0;
        for (let d = 0; d < width; d++)
          mixture[d] = (mixture[d] ?? 0) + share * (embedding.data[token * width + d] ?? 0);
      }
      point.set(mixture, at);
    }
  return { ...points, point: { ...points.point, data: point } };
}

/** The gradient by the logits from that by the points: softmax'ᵀ · W_E · gradient. */
export function backpropagate(
  { embedding, width, row, free, tokens, size }: Search,
  shares: Float64Array,
  gradient: ArrayLike<number>,
  temperature: number,
): Float64Array {
  const out = new Float64Array(shares.length);
  for (let start = 0; start * size < shares.length; start++)
    for (const [f, position] of free.entries()) {
      const [from, to] = [
        (start * row.length + position) * width,
        start * size + f * tokens.length,
      ];
      const slopes = tokens.map((token) => {
        let sum = 0;
        for (let d = 0; d < width; d++)
          sum += (embedding.data[token * width + d] ?? 0) * (gradient[from + d] ?? 0);
        return sum;
      });
      const mean = slopes.reduce((sum, slope, t) => sum + slope * (shares[to + t] ?? 0), 0);
      for (const [t, slope] of slopes.entries())
        out[to + t] = ((shares[to + t] ?? 0) * (slope - mean)) / temperature;
    }
  return out;
}

/** The token with the largest share at each free position. */
export function snap(
  { row, free, tokens, size }: Search,
  shares: Float64Array,
  starts: number,
): readonly (readonly number[])[] {
  return Array.from({ length: starts }, (_, start) => {
    const out = [...row];
    for (const [f, position] of free.entries()) {
      const at = start * size + f * tokens.length;
      const part = shares.subarray(at, at + tokens.length);
      out[position] = tokens[part.indexOf(Math.max(...part))] ?? 0;
    }
    return out;
  });
}
