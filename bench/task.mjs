/** Division modulo 97 for programs without grok: the rows, split in half by a seeded shuffle. */
export const PRIME = 97;
export const VOCABULARY = PRIME + 2;
export const BATCH = 512;
export const POSITIONS = 4;

/** @returns {{ train: Rows, validation: Rows }} @typedef {{ tokens: number[][], labels: number[] }} Rows */
export function division(seed = 42) {
  const random = generator(seed);
  const rows = [];
  for (let a = 0; a < PRIME; a++)
    for (let b = 1; b < PRIME; b++)
      rows.push({ tokens: [a, PRIME, b, PRIME + 1], label: (a * power(b, PRIME - 2)) % PRIME });
  shuffle(rows, random);
  const take = (part) => ({
    tokens: part.map(({ tokens }) => tokens),
    labels: part.map(({ label }) => label),
  });
  const half = rows.length >> 1;
  return { train: take(rows.slice(0, half)), validation: take(rows.slice(half)) };
}

/** @param {number} base @param {number} exponent */
function power(base, exponent) {
  let out = 1;
  for (let i = 0; i < exponent; i++) out = (out * base) % PRIME;
  return out;
}

/** Fisher–Yates shuffle, in place. @template T @param {T[]} items @param {() => number} random */
export function shuffle(items, random) {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

/** Uniform numbers in [0, 1): a Weyl sequence through murmur3's finalizer. @param {number} seed */
export function generator(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 4294967296;
  };
}

/** Splits a list into batches of at most `size`. @template T @param {readonly T[]} list @param {number} size */
export function batches(list, size) {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}
