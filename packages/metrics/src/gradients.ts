/** Gradients per layer: their norms, how much of them is noise of the batch, and the angles between them. */
import { type HostParams, InputError } from '@grok/core';
import { dropRounding } from '@grok/core/internal';
import { l2, parameterCount } from './norms.js';
import { average, averageLists, dot } from './sample.js';
import { byLayer } from './weights.js';

/** A measure over all parameters, and of each layer. */
export interface ByLayer<T> {
  readonly all: T;
  readonly layers: Readonly<Record<string, T>>;
}

/** Measures all parameters, and each layer of those that `like` has. */
function measureByLayer<T>(
  like: HostParams,
  measure: (select: (params: HostParams) => HostParams) => T,
): ByLayer<T> {
  const layers = Object.keys(byLayer(like)).map(
    (layer) => [layer, measure((params) => byLayer(params)[layer] ?? {})] as const,
  );
  return { all: measure((params) => params), layers: Object.fromEntries(layers) };
}

/** L2 norm of the gradient per layer and in total. */
export function gradientNorms(grads: HostParams): ByLayer<number> {
  return measureByLayer(grads, (select) => l2(select(grads)));
}

/** Mean gradient of several batches of one size. */
export function averageGradients([first = {}, ...rest]: readonly HostParams[]): HostParams {
  return Object.fromEntries(
    Object.entries(first).map(([name, value]) => {
      const others = rest.flatMap((batch) => batch[name] ?? []);
      const data = Float32Array.from(averageLists([value, ...others].map((each) => each.data)));
      return [name, { ...value, data }];
    }),
  );
}

/** Signal and noise of a gradient, from several batches of equal size. */
export interface NoiseToSignal {
  /** Squared norm of the expected gradient, unbiased: 0 on average where there is none, below 0 when noise hides it. */
  readonly signal: number;
  /** Unbiased trace of the covariance of one batch's gradient. */
  readonly noise: number;
  /** noise / signal; times the batch size it is the simple noise scale. */
  readonly ratio: number;
  /** signal / noise, of one batch's gradient. */
  readonly signalToNoise: number;
}

/**
 * Noise-to-signal ratio of the gradient, per layer and in total, from the gradients of k ≥ 2 batches at the
 * same parameters (McCandlish et al. 2018, arXiv 1812.06162, appendix A.1).
 * @throws InputError for fewer than two batches.
 */
export function noiseToSignal(batches: readonly HostParams[]): ByLayer<NoiseToSignal> {
  const k = batches.length;
  if (k < 2)
    throw new InputError(`noise-to-signal: needs gradients of at least 2 batches, got ${k}`);
  const [first = {}] = batches;
  const parts = Object.entries(byLayer(first)).map(([name, group]) => {
    let [meanSquare, scatter] = [0, 0];
    for (const key of Object.keys(group)) {
      const each = batches.flatMap((batch) => batch[key] ?? []).map(({ data }) => data);
      const mean = averageLists(each);
      meanSquare += dot(mean, mean);
      for (const data of each)
        for (const [i, value] of data.entries()) scatter += (value - mean[i]!) ** 2;
    }
    const noise = dropRounding(scatter / (k - 1), meanSquare);
    return { name, noise, signal: dropRounding(meanSquare - noise / k, meanSquare) };
  });
  const total = (key: 'noise' | 'signal') => parts.reduce((sum, part) => sum + part[key], 0);
  return {
    all: noiseRatio(total('signal'), total('noise')),
    layers: Object.fromEntries(parts.map((p) => [p.name, noiseRatio(p.signal, p.noise)])),
  };
}

function noiseRatio(signal: number, noise: number): NoiseToSignal {
  return { signal, noise, ratio: noise / signal, signalToNoise: signal / noise };
}

/** Cosines between gradients at the same parameters, each a matrix in the order of `names`. */
export interface GradientCosines extends ByLayer<readonly (readonly number[])[]> {
  readonly names: readonly string[];
  /** What chance would show: 1/√parameters, the standard deviation of the cosine of random directions. */
  readonly chance: ByLayer<number>;
}

/** Cosines between every two of some gradients, by name, over all parameters and by layer; NaN where one is 0. */
export function gradientCosines(gradients: Readonly<Record<string, HostParams>>): GradientCosines {
  const each = Object.values(gradients);
  const [first = {}] = each;
  return {
    names: Object.keys(gradients),
    ...measureByLayer(first, (select) => cosines(each.map(select))),
    chance: measureByLayer(first, (select) => 1 / Math.sqrt(parameterCount(select(first)))),
  };
}

/**
 * Mean cosine between the gradients of every two batches, over all parameters and by layer: 1 where batches
 * say the same, 0 on average where the expected gradient is 0.
 */
export function batchAgreement(batches: readonly HostParams[]): ByLayer<number> {
  const [first = {}] = batches;
  return measureByLayer(first, (select) => {
    const all = cosines(batches.map(select));
    return average(all.flatMap((row, i) => row.slice(0, i)));
  });
}

function cosines(vectors: readonly HostParams[]): readonly (readonly number[])[] {
  const norms = vectors.map(l2);
  return vectors.map((x, i) =>
    vectors.map((y, j) => {
      if (i === j && norms[i]! > 0) return 1;
      return innerProduct(x, y) / (norms[i]! * norms[j]!);
    }),
  );
}

function innerProduct(x: HostParams, y: HostParams): number {
  return Object.entries(x).reduce(
    (sum, [name, { data }]) => sum + dot(data, y[name]?.data ?? []),
    0,
  );
}

/** Gradients of one loss over several batches of one size. */
export interface GradientSummary {
  /** Norms of the mean gradient. */
  readonly norms: ByLayer<number>;
  readonly noise: ByLayer<NoiseToSignal>;
  /** Mean cosine between batches. */
  readonly agreement: ByLayer<number>;
  readonly batches: number;
}

/** Norms, signal-to-noise and agreement of the gradients of k ≥ 2 batches. @throws InputError on fewer. */
export function summarizeGradients(batches: readonly HostParams[]): GradientSummary {
  return {
    norms: gradientNorms(averageGradients(batches)),
    noise: noiseToSignal(batches),
    agreement: batchAgreement(batches),
    batches: batches.length,
  };
}
