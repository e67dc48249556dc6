/** Which frequencies a model uses: key frequencies of its logits, its neurons' frequencies, overlap of two models. */
import { dropRounding } from '@grok/core/internal';
import type { Powers } from './fourier.js';

/** A frequency and the share of the variance that it carries. */
export interface KeyFrequency {
  readonly frequency: number;
  readonly share: number;
}

/**
 * The key frequencies of a model, by its logits' powers over all pairs, largest first: k whose share of the
 * variance, over all classes, exceeds `share`, by default 1 % or twice what noise gives, whichever is more;
 * at most `most` of them, by default all. The share of k is of the products of a constant or frequency-k wave
 * of x with one of y, their constant left out: 8 of the n² − 1 components of a function of (x, y), so that
 * noise gives each frequency 1.7 % at n = 22, and .1 % at n = 96.
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

/** The frequency that explains most of a neuron. */
export interface NeuronFrequency {
  /** 0 for a neuron that is constant. */
  readonly frequency: number;
  readonly share: number;
}

/**
 * For each neuron, the frequency k that explains most of its variance over all pairs, and its share: of
 * polynomials of degree ≤ 2 in cos_k(x), sin_k(x), cos_k(y), sin_k(y), that is the waves of frequencies
 * k and 2k of x or y alone, and the products of frequency k. A wave of x alone is also the double of
 * another frequency's: shares within a hundredth are told apart by what is of k itself.
 * @param order n of the group, as 2k is taken modulo n
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

/** Share (0–1) of neurons that one frequency explains above `threshold` (85 %). */
export function explainedNeurons(neurons: readonly NeuronFrequency[], threshold = 0.85): number {
  return neurons.filter(({ share }) => share > threshold).length / neurons.length;
}

/** What two sets of frequencies have in common, and what two random sets of their sizes would. */
export interface Overlap {
  readonly shared: readonly number[];
  /** Size of the intersection over that of the union; NaN when both are empty. */
  readonly jaccard: number;
  /** Mean number shared under the null. */
  readonly expected: number;
  /** Probability under the null of sharing at least as many. */
  readonly p: number;
}

/**
 * Overlap of two models' key frequencies among `count` possible ones. The null permutes the frequencies of one
 * model; as that makes the number shared hypergeometric, it is exact and needs no draws.
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
