/**
 * Stateless random numbers: a generator is a key, split by labels as in JAX, and every draw is a
 * pure function of the key, so the draw for (stream, step) needs no earlier draws. Keys are SHA-256
 * of the path of labels; bits come from four interleaved lanes of sfc32 (Doty-Humphrey, PractRand).
 * Normal draws use only + − × ÷ √, so every JS engine gives the same bits.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Rng } from '../contracts/types.js';
import { createMaskKernel, findMaskKernel, type MaskKernel, rounded } from './mask-kernel.js';

const LANES = 4;
const encoder = new TextEncoder();

/** Returns the generator of a seed (an integer in 0 … 2⁵³ − 1). */
export function rng(seed: number): Rng {
  return fromPath(String(seed));
}

function fromPath(path: string): Rng {
  const words = (n: number): Uint32Array => fill(new Uint32Array(n), deriveKey(path));
  const uniform = (n: number): Float64Array =>
    Float64Array.from(words(n), (word) => (word + 0.5) / 4294967296);
  return {
    split: (label) => fromPath(`${path}/${encodeURIComponent(label)}`),
    words,
    uniform,
    normal: (n) => normals(n, path, () => true),
    truncatedNormal: (n) => normals(n, path, (z) => z > -2 && z < 2),
    bernoulli: (n, keep, into = new Uint8Array(n)) =>
      mask(into, Math.round(keep * 65536), deriveKey(path)),
    permutation(n) {
      const u = uniform(n);
      const out = Int32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = Math.floor(u[i]! * (i + 1));
        const held = out[i]!;
        out[i] = out[j]!;
        out[j] = held;
      }
      return out;
    },
  };
}

/** First 128 bits of SHA-256 of the path. */
function deriveKey(path: string): Uint32Array {
  return new Uint32Array(sha256(encoder.encode(path)).slice(0, 16).buffer);
}

/** Word `i` is word ⌊i/4⌋ of lane i mod 4; lanes differ in the initial counter. */
function fill(out: Uint32Array, key: Uint32Array): Uint32Array {
  const state = startingState(key);
  for (let lane = 0; lane < LANES; lane++) turnLane(state, lane, out, out.length);
  return out;
}

/** Writes 1 for each half word below a threshold (in units of 1/65,536), else 0. */
function mask(out: Uint8Array, threshold: number, key: Uint32Array): Uint8Array {
  if (threshold >= 65536) return out.fill(1);
  const n = out.length;
  const own = findMaskKernel(out);
  kernel ??= createMaskKernel() ?? 'none';
  const drawing = own ?? kernel;
  if (drawing !== 'none') {
    const drawn = drawing(startingState(key), rounded(n), threshold);
    if (own === undefined) out.set(drawn.subarray(0, n));
    return out;
  }
  const halves = new Uint16Array(fill(new Uint32Array((n + 1) >> 1), key).buffer);
  out.set(halves.subarray(0, n).map((half) => (half < threshold ? 1 : 0)));
  return out;
}
let kernel: MaskKernel | 'none' | undefined;

/** a, b, c and counter of the lanes (four words each) after twelve warm-up rounds, as sfc32 requires. */
function startingState(key: Uint32Array): Uint32Array {
  const state = new Uint32Array(4 * LANES);
  for (let lane = 0; lane < LANES; lane++) {
    for (const [word, value] of key.entries())
      state[word * LANES + lane] = value + (word === 3 ? lane * 0x9e3779b9 : 0);
    turnLane(state, lane, new Uint32Array(12 * LANES), 12 * LANES);
  }
  return state;
}

/** Writes the words of one lane and updates its state. */
function turnLane(state: Uint32Array, lane: number, out: Uint32Array, length: number): void {
  const read = (word: number): number => (state[word * LANES + lane] ?? 0) | 0;
  let [a, b, c, counter] = [read(0), read(1), read(2), read(3)];
  for (let i = lane; i < length; i += LANES) {
    const word = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word) | 0;
    out[i] = word;
  }
  [a, b, c, counter].forEach((value, word) => {
    state[word * LANES + lane] = value;
  });
}

/** Marsaglia's polar method; rejected draws are skipped, chunk by chunk. */
function normals(n: number, path: string, accept: (z: number) => boolean): Float32Array {
  const out = new Float32Array(n);
  let done = 0;
  for (let chunk = 0; done < n; chunk++) {
    const size = 2 * Math.ceil((n - done) * 0.75 + 8);
    const u = fill(new Uint32Array(size), deriveKey(`${path}#normal/${chunk}`));
    for (let i = 0; i < size && done < n; i += 2) {
      const x = (u[i]! + 0.5) / 2147483648 - 1;
      const y = (u[i + 1]! + 0.5) / 2147483648 - 1;
      const s = x * x + y * y;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * ln(s)) / s);
      if (accept(x * scale)) out[done++] = x * scale;
      if (done < n && accept(y * scale)) out[done++] = y * scale;
    }
  }
  return out;
}

/** Natural logarithm of x in (0, 1], using only + − × ÷: engines differ in the last bits of Math.log. */
export function ln(x: number): number {
  let exponent = 0;
  let m = x;
  while (m < Math.SQRT1_2) {
    m *= 2;
    exponent--;
  }
  const t = (m - 1) / (m + 1);
  const t2 = t * t;
  let sum = 0;
  for (let k = 21; k >= 1; k -= 2) sum = sum * t2 + 1 / k;
  return 2 * t * sum + exponent * Math.LN2;
}
