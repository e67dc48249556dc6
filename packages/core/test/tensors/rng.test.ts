/** The random streams: fixed bits, and statistics within about four standard errors. */
import { rng } from '@grok/core';
import { sha256Hex, viewBytes } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import { ln } from '../../src/tensors/rng.js';

const mean = (x: ArrayLike<number>): number =>
  Array.from(x).reduce((sum, value) => sum + value, 0) / x.length;
const variance = (x: ArrayLike<number>): number => {
  const m = mean(x);
  return Array.from(x).reduce((sum, value) => sum + (value - m) ** 2, 0) / (x.length - 1);
};
const correlation = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
  const [mx, my] = [mean(x), mean(y)];
  const covariance = mean(Array.from(x, (value, i) => (value - mx) * (y[i]! - my)));
  return covariance / Math.sqrt(variance(x) * variance(y));
};
/** Kolmogorov–Smirnov: √n times the largest gap between the sample and its distribution; 1.95 at p = 0.001. */
const ks = (x: ArrayLike<number>, cdf: (value: number) => number): number => {
  const sorted = Float64Array.from(x).sort();
  let gap = 0;
  sorted.forEach((value, i) => {
    const p = cdf(value);
    gap = Math.max(gap, p - i / sorted.length, (i + 1) / sorted.length - p);
  });
  return gap * Math.sqrt(sorted.length);
};
/** Normal distribution function by Simpson's rule from 0; good to 1e-9 for |z| < 6. */
const phi = (z: number): number => {
  const n = 200;
  const h = z / n;
  let sum = 0;
  for (let i = 0; i <= n; i++)
    sum += (i === 0 || i === n ? 1 : i % 2 ? 4 : 2) * Math.exp(-((i * h) ** 2) / 2);
  return 0.5 + (sum * h) / 3 / Math.sqrt(2 * Math.PI);
};

describe('rng', () => {
  it('matches the bits of an independent implementation', () => {
    // Catches: any change of key, lanes, warm-up, logarithm or shuffle; every stored run depends on
    // them.
    const root = rng(42);
    expect([...root.words(6)]).toEqual([
      0x9a475137, 0x2dd215e7, 0x2b67b3a8, 0x1ad9dfdf, 0xc473d06a, 0x82a7d1ba,
    ]);
    expect([...root.split('dropout').split(7).words(3)]).toEqual([
      0x6b46d6f6, 0x3c77b0cc, 0x28cd14f5,
    ]);
    expect([...root.split('init').normal(4)]).toEqual([
      -0.1444423496723175, 1.272549033164978, 1.6872972249984741, -0.6061263084411621,
    ]);
    expect([...root.split('order').split(1).permutation(10)]).toEqual([
      2, 7, 6, 0, 8, 1, 3, 5, 4, 9,
    ]);
    const hashes = [
      root.words(1000),
      root.split('init').normal(1000),
      root.split('order').split(1).permutation(4656),
      root.split('dropout').bernoulli(1000, 0.8),
    ].map((values) => sha256Hex(viewBytes(values)));
    expect(hashes).toEqual([
      '295666ec1e307df463d3c53dde0579ca12683e1c6525034aafad3e68277755f4',
      '57870b1e0dd52d363261c4caf75f34c497bc626b2f9c2adf84e7005bf033ed23',
      'b4a302780753e9f9a1943a020ad318836e1ed9655ccacba5c0ec4d8adf74e67f',
      'c3f1b1be705826b50b789739e8094ee5e840c2593e0bb904f075c6ee28328c0a',
    ]);
  });

  it('is stateless', () => {
    // Catches: hidden state, which would make a resumed run differ from an uninterrupted one.
    const once = rng(1).split('a').words(8);
    const root = rng(1);
    root.words(100);
    root.split('b').normal(5);
    const stream = root.split('a');
    stream.permutation(9);
    expect(stream.words(8)).toEqual(once);
    expect(stream.words(20).subarray(0, 8)).toEqual(once);
  });

  it('has uniform words, in every bit and across lanes', () => {
    // Catches: a dead or biased bit; lanes that are correlated because only their counters differ.
    const n = 40_000;
    const words = rng(3).words(n);
    for (let bit = 0; bit < 32; bit++) {
      const ones = words.reduce((sum, word) => sum + ((word >>> bit) & 1), 0);
      expect(Math.abs(ones - n / 2), `bit ${bit}`).toBeLessThan(4 * Math.sqrt(n / 4));
    }
    const u = rng(3).uniform(n);
    expect(u.every((value) => value > 0 && value < 1)).toBe(true);
    expect(ks(u, (value) => value)).toBeLessThan(1.95);
    for (const lag of [1, 2, 3, 4, 5, 8])
      expect(Math.abs(correlation(u.subarray(lag), u.subarray(0, n - lag)))).toBeLessThan(
        4 / Math.sqrt(n),
      );
  });

  it('splits into independent streams', () => {
    // Catches: labels or seeds that share or shift a stream, so that dropout repeats the bits of
    // the row order.
    const n = 20_000;
    const root = rng(0);
    const streams = [
      root,
      root.split('init'),
      root.split('a/b'),
      root.split('a').split('b'),
      root.split('order'),
      root.split(0),
      root.split(1),
      root.split(10),
      root.split(1).split(0),
      rng(1),
      rng(2 ** 53 - 1),
    ].map((stream) => stream.uniform(n));
    for (const [i, a] of streams.entries())
      for (const b of streams.slice(i + 1))
        expect(Math.abs(correlation(a, b))).toBeLessThan(4.5 / Math.sqrt(n));
  });

  it('draws standard normals', () => {
    // Catches: a wrong scale, a missing tail, or correlation between the two numbers of a pair.
    const n = 50_000;
    const z = rng(5).normal(n);
    expect(Math.abs(mean(z))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(variance(z) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(ks(z, phi)).toBeLessThan(1.95);
    expect(Math.abs(correlation(z.subarray(1), z.subarray(0, n - 1)))).toBeLessThan(
      4 / Math.sqrt(n),
    );
    expect(z.filter((value) => Math.abs(value) > 3).length).toBeGreaterThan(90); // 135 expected
    expect(rng(5).normal(1)).toHaveLength(1);
    expect(rng(5).normal(0)).toHaveLength(0);
  });

  it('truncates normals at ±2 without rescaling', () => {
    // Catches: clipping (a spike at ±2) instead of rejection; a variance that is already corrected.
    const n = 50_000;
    const z = rng(6).truncatedNormal(n);
    const inside = phi(2) - phi(-2);
    expect(z.every((value) => value > -2 && value < 2)).toBe(true);
    expect(ks(z, (value) => (phi(value) - phi(-2)) / inside)).toBeLessThan(1.95);
    expect(Math.abs(Math.sqrt(variance(z)) - 0.87962566)).toBeLessThan(0.01);
  });

  it('keeps with the stated probability', () => {
    // Catches: eight bits per value (0.199 for 0.2), keep and drop swapped, odd lengths truncated.
    const n = 400_001;
    for (const keep of [0.8, 0.5, 0.1, 0.999]) {
      const kept = rng(7).bernoulli(n, keep);
      expect(kept).toHaveLength(n);
      const bound = 4 * Math.sqrt((keep * (1 - keep)) / n);
      expect(Math.abs(mean(kept) - keep), `keep ${keep}`).toBeLessThan(bound);
    }
    expect(mean(rng(7).bernoulli(1000, 1))).toBe(1);
    expect(mean(rng(7).bernoulli(1000, 0))).toBe(0);
  });

  it('permutes uniformly', () => {
    // Catches: the biased shuffle that swaps with any position; values lost or duplicated.
    const counts = new Map<string, number>();
    const draws = 24_000;
    for (let i = 0; i < draws; i++) {
      const key = rng(8).split(i).permutation(4).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const expected = draws / 24;
    const chi2 = [...counts.values()].reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0);
    expect(chi2).toBeLessThan(49.7); // p = 0.001 at 23 degrees of freedom
    const big = rng(8).permutation(5000);
    expect([...big].sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
    expect([...rng(8).permutation(0)]).toEqual([]);
    expect([...rng(8).permutation(1)]).toEqual([0]);
  });

  it('computes logarithms accurate to the last bits', () => {
    // Catches: a series that is too short; lost digits where exponent and series are added.
    const points = [...rng(9).uniform(20_000)];
    for (let e = 1; e <= 1000; e += 7) points.push(2 ** -e, 1.3 * 2 ** -e);
    points.push(1, 1 - 2 ** -53, Math.SQRT1_2, Math.SQRT1_2 - 2 ** -53, 0.70710679, 0.99, 2 ** -33);
    for (const x of points) {
      const want = Math.log(x);
      expect(Math.abs(ln(x) - want), `ln(${x})`).toBeLessThanOrEqual(1e-15 * Math.abs(want));
    }
  });
});
