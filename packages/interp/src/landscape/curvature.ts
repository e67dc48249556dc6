/**
 * Curvature of the loss: leading eigenvalues of the Hessian by Lanczos's iteration with full
 * reorthogonalization (Lanczos 1950; Ghorbani et al. 2019), its trace by Hutchinson's estimator (1990).
 * Products with the Hessian are central differences of exact gradients: tfjs does not connect what its
 * gradients save to the tape, so that second derivatives through `logSoftmax`, `softmax` and others of its
 * operations are wrong, without an error.
 */
import { type HostParams, InputError, rng } from '@grok/core';
import { computeLayout, flattenHost, unflattenHost } from '@grok/core/internal';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { checkShapes, combineParams, norm } from './points.js';
import type { LossSurface } from './surface.js';

/** How far a difference of gradients reaches, over the norm of the parameters. */
const REACH = 1e-3;

/** Shared by what is computed from products with the Hessian. */
export interface CurvatureOptions {
  readonly seed?: number;
  /** Half the distance between the two gradients of a product, over the norm of the parameters (default .001). */
  readonly reach?: number;
}

/** The Hessian of the mean loss times a direction, from two gradients. @throws InputError on a direction of other shapes or of length 0. */
export async function hessianVectorProduct(
  surface: LossSurface,
  params: HostParams,
  direction: HostParams,
  { reach = REACH }: Pick<CurvatureOptions, 'reach'> = {},
): Promise<HostParams> {
  checkShapes(params, direction);
  const length = norm(direction);
  if (!(length > 0))
    throw new InputError(`hessian: a direction must not be 0, got length ${length}`);
  const step = (reach * (norm(params) || 1)) / length;
  const ahead = await surface.gradient(combineParams([1, params], [step, direction]));
  const behind = await surface.gradient(combineParams([1, params], [-step, direction]));
  return combineParams([1 / (2 * step), ahead], [-1 / (2 * step), behind]);
}

/** Both ends of the spectrum. */
export interface HessianSpectrum {
  /** The largest eigenvalues, the largest first. */
  readonly largest: readonly number[];
  /** The most negative one, or the smallest of all. */
  readonly smallest: number;
  /** For each of `largest`, then `smallest`: norm of H·v − λ·v, which bounds the error of λ. */
  readonly residuals: readonly number[];
  /** Products with the Hessian. */
  readonly products: number;
}

/**
 * The leading eigenvalues of the Hessian of the mean loss; `count` of them (default 5) from `steps` products
 * (default 30, or as many as the Krylov space has). An eigenvalue of several dimensions is found once.
 * @throws InputError when there are fewer steps than eigenvalues.
 */
export async function hessianEigenvalues(
  surface: LossSurface,
  params: HostParams,
  options: CurvatureOptions & { readonly count?: number; readonly steps?: number } = {},
): Promise<HessianSpectrum> {
  const { count = 5, steps = 30, seed = 0 } = options;
  if (!(Number.isInteger(count) && count >= 1 && Number.isInteger(steps) && steps >= count))
    throw new InputError(
      `hessian: count must be an integer ≥ 1 and steps at least as many, got ${count} and ${steps}`,
    );
  const layout = computeLayout(params);
  const start = rng(seed).split('lanczos').normal(layout.size);
  const { diagonal, beside, last } = await iterate(
    async (vector) =>
      flattenHost(
        await hessianVectorProduct(surface, params, unflattenHost(vector, layout), options),
      ),
    start,
    Math.min(steps, layout.size),
  );
  return { ...readSpectrum(diagonal, beside, last, count), products: diagonal.length };
}

interface Tridiagonal {
  readonly diagonal: readonly number[];
  readonly beside: readonly number[];
  /** What would stand beside the next: 0 where the Krylov space is exhausted. */
  readonly last: number;
}

/** Lanczos's iteration from a start. */
async function iterate(
  multiply: (vector: Float32Array) => Promise<Float32Array>,
  start: Float32Array,
  steps: number,
): Promise<Tridiagonal> {
  const basis: Float32Array[] = [];
  const [diagonal, beside]: [number[], number[]] = [[], []];
  let next = scaled(start, 1 / length(start));
  for (;;) {
    basis.push(next);
    const product = Float64Array.from(await multiply(next));
    const size = length(product);
    diagonal.push(inner(product, next));
    // Twice is enough (Parlett 1998): what one pass leaves, the second takes.
    for (let pass = 0; pass < 2; pass++) for (const vector of basis) subtract(product, vector);
    const rest = length(product);
    // Below the rounding of gradients, what is left is noise.
    if (basis.length === steps || rest <= 1e-5 * size) return { diagonal, beside, last: rest };
    beside.push(rest);
    next = scaled(product, 1 / rest);
  }
}

/** Ritz values, and their residuals: `last` times the last component of each Ritz vector. */
function readSpectrum(
  diagonal: readonly number[],
  beside: readonly number[],
  last: number,
  count: number,
): Omit<HessianSpectrum, 'products'> {
  const matrix = Matrix.diag([...diagonal]);
  for (const [i, value] of beside.entries()) matrix.set(i, i + 1, value).set(i + 1, i, value);
  const { realEigenvalues: values, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(
    matrix,
    { assumeSymmetric: true },
  );
  const pairs = values
    .map((value, i) => ({ value, residual: Math.abs(last * vectors.get(values.length - 1, i)) }))
    .sort((a, b) => b.value - a.value);
  const largest = pairs.slice(0, count);
  const ends = [...largest, ...pairs.slice(-1)];
  return {
    largest: largest.map(({ value }) => value),
    smallest: pairs.at(-1)?.value ?? Number.NaN,
    residuals: ends.map(({ residual }) => residual),
  };
}

/** An estimate of the trace. */
export interface HessianTrace {
  readonly trace: number;
  readonly standardError: number;
  readonly draws: number;
}

/**
 * The trace of the Hessian of the mean loss: the mean of vᵀ · H · v over `draws` (default 20) vectors of random
 * signs. @throws InputError on fewer than 2 draws.
 */
export async function hessianTrace(
  surface: LossSurface,
  params: HostParams,
  options: CurvatureOptions & { readonly draws?: number } = {},
): Promise<HessianTrace> {
  const { draws = 20, seed = 0 } = options;
  if (!(Number.isInteger(draws) && draws >= 2))
    throw new InputError(`hessian: draws must be an integer ≥ 2, got ${draws}`);
  const layout = computeLayout(params);
  const random = rng(seed).split('hutchinson');
  const values: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const signs = Float32Array.from(random.split(draw).uniform(layout.size), (u) =>
      u < 0.5 ? -1 : 1,
    );
    const direction = unflattenHost(signs, layout);
    const product = await hessianVectorProduct(surface, params, direction, options);
    values.push(inner(flattenHost(product), signs));
  }
  const trace = values.reduce((sum, value) => sum + value, 0) / draws;
  const variance = values.reduce((sum, value) => sum + (value - trace) ** 2, 0) / (draws - 1);
  return { trace, standardError: Math.sqrt(variance / draws), draws };
}

function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
function length(a: ArrayLike<number>): number {
  return Math.sqrt(inner(a, a));
}
function scaled(a: ArrayLike<number>, by: number): Float32Array {
  return Float32Array.from({ length: a.length }, (_, i) => (a[i] ?? 0) * by);
}
/** Takes what lies along a unit vector out of `a`. */
function subtract(a: Float64Array, unit: Float32Array): void {
  const along = inner(a, unit);
  for (const [i, value] of unit.entries()) a[i] = (a[i] ?? 0) - along * value;
}
