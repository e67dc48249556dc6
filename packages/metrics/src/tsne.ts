/**
 * Exact t-SNE (van der Maaten & Hinton 2008) from two principal components. The exaggeration falls from 12 to 1
 * over 500 rounds: where it drops at once, as in scikit-learn, starts end up to 20 % of the divergence apart.
 */
import { InputError } from '@grok/core';
import type { PlaneLayout } from './layout.js';
import { computePca } from './pca.js';
import { type Rows, toMatrix } from './rows.js';
import { addAt, average, dot } from './sample.js';

const [MOST_ROWS, EXAGGERATION, EARLY_ROUNDS] = [1000, 12, 500];

/**
 * Lays out observations `[…, d]` so that neighbors stay neighbors; distances between far points mean nothing.
 * `divergence` is the Kullback–Leibler divergence of the layout's neighbors from the observations', in nats.
 * No draw is random. O(n²) a round, so at most 1,000 rows.
 * @param options perplexity: neighbors that count (30); rounds: of gradient descent (1,000)
 * @throws InputError on more rows, fewer than 4, or a perplexity that is not from 1 to rows − 1
 */
export function computeTsne(
  value: Rows,
  options: { readonly perplexity?: number; readonly rounds?: number } = {},
): PlaneLayout & { readonly divergence: number } {
  const x = toMatrix(value).to2DArray();
  const n = x.length;
  const { perplexity = Math.min(30, (n - 1) / 3), rounds = 1000 } = options;
  if (n < 4 || n > MOST_ROWS)
    throw new InputError(`t-SNE: needs 4 to ${MOST_ROWS} rows, got ${n}; give it a part of them`);
  if (!(perplexity >= 1 && perplexity <= n - 1))
    throw new InputError(`t-SNE: perplexity must be from 1 to ${n - 1}, got ${perplexity}`);
  const joint = jointProbabilities(x, Math.log(perplexity));
  const points = startPoints(x);
  const [velocity, gains] = [new Float64Array(2 * n), new Float64Array(2 * n).fill(1)];
  for (let round = 0; round < rounds; round++) {
    const exaggeration = Math.max(1, EXAGGERATION ** (1 - round / EARLY_ROUNDS));
    const { gradient } = computeGradient(points, joint, exaggeration);
    for (const [i, slope] of gradient.entries()) {
      const [speed = 0, before = 1] = [velocity[i], gains[i]];
      const gain = Math.max(0.01, speed * slope < 0 ? before + 0.2 : before * 0.8);
      const next = (exaggeration > 3 ? 0.5 : 0.8) * speed - Math.max(n / 48, 50) * gain * slope;
      gains[i] = gain;
      velocity[i] = next;
      addAt(points, i, next);
    }
  }
  const { divergence } = computeGradient(points, joint, 1);
  return { points: x.map((_, i) => [...points.subarray(2 * i, 2 * i + 2)]), divergence };
}

/** Two principal components, the first with a standard deviation of 1e-4. */
function startPoints(x: readonly number[][]): Float64Array {
  const { scores } = computePca(x, 2);
  const deviation = Math.sqrt(average(scores.map(([first = 0]) => first ** 2)));
  return Float64Array.from(
    scores.flatMap(([a = 0, b = 0]) => [a, b]),
    (v) => (1e-4 * v) / (deviation || 1),
  );
}

/** Probabilities `[n, n]` that each is the other's neighbor; a row's entropy is `entropy` before it is made symmetric. */
function jointProbabilities(x: readonly number[][], entropy: number): Float64Array {
  const n = x.length;
  const rows = x.map((row, i) => {
    const distances = x.map((other) =>
      row.reduce((sum, v, j) => sum + (v - (other[j] ?? 0)) ** 2, 0),
    );
    return neighborShares(distances, i, entropy);
  });
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return Math.max(((rows[i]?.[j] ?? 0) + (rows[j]?.[i] ?? 0)) / (2 * n), Number.EPSILON);
  });
}

/** Shares exp(−β·distance²) of the others, β by bisection so that their entropy is `wanted`. */
function neighborShares(distances: readonly number[], own: number, wanted: number): Float64Array {
  const least = Math.min(...distances.filter((_, j) => j !== own));
  let [beta, low, high] = [1, 0, Number.POSITIVE_INFINITY];
  for (let step = 0; ; step++) {
    const weights = Float64Array.from(distances, (d) => Math.exp(beta * (least - d)));
    weights[own] = 0;
    const sum = average(weights) * weights.length;
    const over = Math.log(sum) + beta * (dot(weights, distances) / sum - least) - wanted;
    if (Math.abs(over) < 1e-5 || step === 100) return weights.map((weight) => weight / sum);
    [low, high] = over > 0 ? [beta, high] : [low, beta];
    beta = high === Number.POSITIVE_INFINITY ? beta * 2 : (low + high) / 2;
  }
}

/** The gradient by the points, neighbors pulled `exaggeration` times as hard, and the divergence. */
function computeGradient(points: Float64Array, joint: Float64Array, exaggeration: number) {
  const n = points.length / 2;
  const near = new Float64Array(n * n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const [x = 0, y = 0] = points.subarray(2 * i);
    for (let j = 0; j < i; j++) {
      const weight =
        1 / (1 + (x - (points[2 * j] ?? 0)) ** 2 + (y - (points[2 * j + 1] ?? 0)) ** 2);
      near[i * n + j] = weight;
      sum += 2 * weight;
    }
  }
  const gradient = new Float64Array(2 * n);
  let divergence = 0;
  for (let i = 0; i < n; i++) {
    const [x = 0, y = 0] = points.subarray(2 * i);
    for (let j = 0; j < i; j++) {
      const [weight, p] = [near[i * n + j] ?? 0, exaggeration * (joint[i * n + j] ?? 0)];
      divergence += 2 * p * Math.log((p * sum) / weight);
      const pull = 4 * (p - weight / sum) * weight;
      const [dx, dy] = [pull * (x - (points[2 * j] ?? 0)), pull * (y - (points[2 * j + 1] ?? 0))];
      addAt(gradient, 2 * i, dx);
      addAt(gradient, 2 * i + 1, dy);
      addAt(gradient, 2 * j, -dx);
      addAt(gradient, 2 * j + 1, -dy);
    }
  }
  return { gradient, divergence };
}
