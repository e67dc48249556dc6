/** Gradients per layer: their norms, and how much of them is noise of the batch. */
import { type HostParams, InputError } from '@grok/core';
import { dropRounding } from '@grok/core/internal';
import { l2 } from './norms.js';
import { averageLists, dot } from './sample.js';
import { byLayer } from './weights.js';

/** L2 norm of the gradient of each layer, and of all. */
export function gradientNorms(grads: HostParams): {
  readonly all: number;
  readonly layers: Readonly<Record<string, number>>;
} {
  const layers = Object.entries(byLayer(grads)).map(([name, part]) => [name, l2(part)] as const);
  return { all: l2(grads), layers: Object.fromEntries(layers) };
}

/** Signal and noise of a gradient, from several batches of one size. */
export interface NoiseToSignal {
  /** Squared norm of the expected gradient, unbiased (below 0 when noise hides it). */
  readonly signal: number;
  /** Trace of the covariance of one batch's gradient, unbiased. */
  readonly noise: number;
  /** noise / signal; times the batch size it is the simple noise scale. */
  readonly ratio: number;
}

/**
 * Noise-to-signal of the gradient, per layer and in all, from the gradients of k ≥ 2 batches at the same
 * parameters (McCandlish et al. 2018, arXiv 1812.06162, appendix A.1).
 * @throws InputError on fewer than two batches.
 */
export function noiseToSignal(batches: readonly HostParams[]): {
  readonly all: NoiseToSignal;
  readonly layers: Readonly<Record<string, NoiseToSignal>>;
} {
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
  return { signal, noise, ratio: noise / signal };
}
