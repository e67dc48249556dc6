/** Reproducible random draws from a seed. */

/**
 * @typedef {object} Random
 * @property {() => number} next in [0, 1)
 * @property {(n: number) => number} below an integer in [0, n)
 * @property {<T>(items: readonly T[]) => T} pick
 */

/** Mulberry32, a 32-bit generator (Tommy Ettinger, 2017). @param {number} seed @returns {Random} */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  /** @param {number} n */
  const below = (n) => Math.floor(next() * n);
  return { next, below, pick: (items) => items[below(items.length)] };
}
