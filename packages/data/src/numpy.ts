/**
 * NumPy's legacy generator, bit for bit: the Mersenne Twister MT19937 (Matsumoto and Nishimura
 * 1998) seeded as `numpy.random.RandomState(seed)`, and its `permutation(n)`, a Fisher–Yates
 * shuffle whose indices are drawn by masking and rejection.
 */
import { InputError } from '@grok/core';

const N = 624;
const M = 397;

/**
 * 32-bit words of `numpy.random.RandomState(seed)`.
 * @throws InputError if the seed is not an integer in 0 … 2³² − 1.
 */
export function mt19937(seed: number): () => number {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
    throw new InputError(
      `split "numpy": NumPy's seeds are integers from 0 to 4294967295, got ${seed}; give a split seed in that range`,
    );
  const state = new Uint32Array(N);
  let word = seed;
  for (let i = 0; i < N; i++) {
    state[i] = word;
    word = (Math.imul(1812433253, word ^ (word >>> 30)) + i + 1) >>> 0;
  }
  let at = N;
  return () => {
    if (at === N) {
      for (let i = 0; i < N; i++) {
        const y = (state[i]! & 0x80000000) | (state[(i + 1) % N]! & 0x7fffffff);
        state[i] = state[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/** `numpy.random.RandomState(seed).permutation(n)`. @throws InputError on a seed that NumPy refuses. */
export function numpyPermutation(n: number, seed: number): Int32Array {
  const next = mt19937(seed);
  const out = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const mask = 0xffffffff >>> Math.clz32(i);
    let j = (next() & mask) >>> 0;
    while (j > i) j = (next() & mask) >>> 0;
    const held = out[i]!;
    out[i] = out[j]!;
    out[j] = held;
  }
  return out;
}
