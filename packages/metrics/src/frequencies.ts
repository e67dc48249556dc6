/** Which frequencies a model uses: key frequencies of its logits, its neurons' frequencies, overlap of two models. */
import { dropRounding } from '@grok/core/internal';
import type { Powers } from './fourier.js';

/** A frequency and its share of the variance. */
export interface KeyFrequency {
  readonly frequency: number;
  readonly share: number;
}

/**
 * The key frequencies of a model from the powers of its logits over all pairs, largest first: frequencies k
 * whose share of the variance over all classes exceeds `share`, by default 1 % or twice the share expected of
 * noise, whichever is larger; at most `most` of them, by default all. The share of k covers the products of a
 * constant or frequency-k wave of x with one of y, without the constant: 8 of the n² − 1 components of a
 * function of (x, y), so noise gives each frequency 1.7 % for n = 22 and .1 % for n = 96.
 */
export function keyFrequencies(
  powers: Powers,
  options: { share?: number; most?: number } = {},
): readonly KeyFrequency[] {
  const order = powers.order;
  const { share: least = Math.max(0.01, 16 / (order ** 2 - 1)), most } = options;
  const channels = Array.from({ length: powers.width }, (_, c) => c);
  const sumChannels = (of: (channel: number) => number) =>
    channels.reduce((sum, c) => sum + of(c), 0);
  const total = dropRounding(
    sumChannels((c) => powers.total(c)),
    sumChannels((c) => powers.at(0, 0, c)),
  );
  if (total === 0) return [];
  return Array.from({ length: powers.highest }, (_, i) => {
    const k = i + 1;
    const own = sumChannels((c) => powers.at(k, k, c) + powers.at(k, 0, c) + powers.at(0, k, c));
    return { frequency: k, share: own / total };
  })
    .filter(({ share }) => share > least)
    .toSorted((a, b) => b.share - a.share)
    .slice(0, most);
}

/** The frequency that explains most of a neuron's variance. */
export interface NeuronFrequency {
  /** 0 for a constant neuron. */
  readonly frequency: number;
  readonly share: number;
}

/**
 * For each neuron, the frequency k that explains most of its variance over all pairs, and its share. The share
 * of k covers polynomials of degree ≤ 2 in cos_k(x), sin_k(x), cos_k(y), sin_k(y): waves of frequencies k and
 * 2k of x or y alone, and products of frequency k. Since a wave of x alone is also the double of another
 * frequency's, ties within a hundredth are broken by the part at k itself. @param order n of the group, as 2k
 * is taken modulo n
 */
export function neuronFrequencies(powers: Powers, order: number): readonly NeuronFrequency[] {
  return Array.from({ length: powers.width }, (_, c) => {
    // Beside its mean, rounding is all that a constant has.
    const total = dropRounding(powers.total(c), powers.at(0, 0, c));
    if (total === 0) return { frequency: 0, share: 0 };
    const all = Array.from({ length: powers.highest }, (_, i) => {
      const k = i + 1;
      const double = Math.min((2 * k) % order, order - ((2 * k) % order));
      const alone = (f: number) => powers.at(f, 0, c) + powers.at(0, f, c);
      const own = powers.at(k, k, c) + alone(k);
      // 2k may be k again (3k = n) or the constant (2k = n): count each wave once.
      const more = double === k || double === 0 ? 0 : alone(double);
      return { frequency: k, own, share: (own + more) / total };
    });
    const most = Math.max(...all.map(({ share }) => share));
    const near = all.filter(({ share }) => share > most - 0.01);
    const { frequency, share } = near.reduce((a, b) => (b.own > a.own ? b : a));
    return { frequency, share };
  });
}

/** Share (0–1) of neurons for which one frequency explains more than `threshold` (85 %) of the variance. */
export function explainedNeurons(neurons: readonly NeuronFrequency[], threshold = 0.85): number {
  return neurons.filter(({ share }) => share > threshold).length / neurons.length;
}

/** Overlap of two sets of frequencies, and of random sets of the same sizes. */
export interface Overlap {
  readonly shared: readonly number[];
  /** Jaccard index; NaN if both are empty. */
  readonly jaccard: number;
  /** Expected number of shared frequencies under the null. */
  readonly expected: number;
  /** Probability under the null of at least as many shared frequencies. */
  readonly p: number;
}

/**
 * Overlap of two models' key frequencies among `count` possible ones. The null permutes the frequencies of one
 * model, so the number of shared ones is hypergeometric and the p-value exact.
 */
export function frequencyOverlap(
  a: readonly number[],
  b: readonly number[],
  count: number,
): Overlap {
  const shared = a.filter((k) => b.includes(k));
  const [m, n] = [a.length, b.length];
  let p = 0;
  for (let s = shared.length; s <= Math.min(m, n); s++)
    p += Math.exp(lnChoose(m, s) + lnChoose(count - m, n - s) - lnChoose(count, n));
  return {
    shared,
    jaccard: shared.length / (m + n - shared.length),
    expected: (m * n) / count,
    p: Math.min(1, p),
  };
}

/** Logarithm of "n choose k"; −∞ where there is no way to choose. */
function lnChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
  return sum;
}
