/**
 * Linear centred kernel alignment (Kornblith et al. 2019), biased as published and debiased with the
 * estimator of HSIC of Song et al. 2012 (JMLR 13, eq. 5). Both are ratios
 * HSIC(X, Y) / √(HSIC(X, X) · HSIC(Y, Y)).
 */
import { InputError, type Rng } from '@grok/core';
import type { Matrix } from 'ml-matrix';
import { centred, checkPaired, matrixOf, type Rows, squaredNorm } from './rows.js';
import { mean, quantile } from './sample.js';

/**
 * Biased linear CKA of x `[n, d₁]` and y `[n, d₂]`, in 0–1. Independent data do not give 0: with
 * n = 32 and d = 64 they give .67. @throws InputError on different numbers of rows.
 */
export function cka(x: Rows, y: Rows): number {
  const [a, b] = [centred(matrixOf(x)), centred(matrixOf(y))];
  checkPaired('CKA', a, b);
  const hsic = (p: Matrix, q: Matrix) => squaredNorm(p.transpose().mmul(q)); // [d₁, d₂]
  return hsic(a, b) / Math.sqrt(hsic(a, a) * hsic(b, b));
}

/**
 * Debiased linear CKA of x `[n, d₁]` and y `[n, d₂]`, around 0 for independent data (it may be
 * negative), at most 1; n > 3. Memory grows with n·d, not n². @throws InputError on too few rows.
 */
export function debiasedCka(x: Rows, y: Rows): number {
  const [a, b] = [centred(matrixOf(x)), centred(matrixOf(y))];
  checkPaired('debiased CKA', a, b, 4);
  return unbiasedHsic(a, b) / Math.sqrt(unbiasedHsic(a, a) * unbiasedHsic(b, b));
}

/** Song et al. 2012, eq. 5, for linear kernels K = xxᵀ and L = yyᵀ without their diagonals, unscaled. */
function unbiasedHsic(x: Matrix, y: Matrix): number {
  const n = x.rows;
  const [k, l] = [kernelSums(x), kernelSums(y)];
  let trace = squaredNorm(x.transpose().mmul(y));
  let cross = 0;
  for (let i = 0; i < n; i++) {
    trace -= k.diagonal[i]! * l.diagonal[i]!;
    cross += k.rows[i]! * l.rows[i]!;
  }
  return trace + (k.total * l.total) / ((n - 1) * (n - 2)) - (2 * cross) / (n - 2);
}

/** The diagonal of xxᵀ, its row sums without the diagonal, and their total. */
function kernelSums(x: Matrix): { diagonal: number[]; rows: number[]; total: number } {
  const total = x.sum('column');
  const diagonal = x.to2DArray().map((row) => row.reduce((sum, v) => sum + v * v, 0));
  const rows = diagonal.map((own, i) => x.getRow(i).reduce((s, v, j) => s + v * total[j]!, -own));
  return { diagonal, rows, total: rows.reduce((a, b) => a + b, 0) };
}

/** CKA of two representations, with what it takes to believe it. */
export interface CkaTest {
  readonly biased: number;
  readonly debiased: number;
  /** Half-sampling interval of the debiased value. */
  readonly interval: readonly [number, number];
  /** Values under permutations of y's rows: means, the debiased interval, share at least as large as seen. */
  readonly null: {
    readonly biased: number;
    readonly debiased: number;
    readonly interval: readonly [number, number];
    readonly p: number;
  };
}

/**
 * Biased and debiased CKA with a permutation null and an interval of level `level` (.95).
 *
 * The interval is a bootstrap without replacement: quantiles over random halves of the rows, whose
 * spread is that of the whole (Shao & Wu 1989, delete-d jackknife with d = n/2). Resampling with
 * replacement repeats rows, and repeated rows bring back the very bias that the estimator takes out.
 *
 * `group` rows in a row (such as the positions of one input) are permuted and sampled together.
 * Takes memory of 4·n² numbers. @throws InputError on rows that do not pair, or on more than 8,192.
 */
export function ckaTest(
  x: Rows,
  y: Rows,
  options: { rng: Rng; permutations?: number; resamples?: number; level?: number; group?: number },
): CkaTest {
  const { rng, permutations = 999, resamples = 500, level = 0.95, group = 1 } = options;
  const [a, b] = [centred(matrixOf(x)), centred(matrixOf(y))];
  checkPaired('CKA test', a, b, 8 * group);
  const n = a.rows;
  if (n % group !== 0)
    throw new InputError(`CKA test: ${n} rows do not divide into groups of ${group}`);
  if (n > 8192)
    throw new InputError(`CKA test: takes at most 8192 rows, got ${n}; give it a part of them`);
  const [k, l] = [a.mmul(a.transpose()), b.mmul(b.transpose())]; // [n, n]
  const whole = Array.from({ length: n / group }, (_, i) => i);
  const aligned = {
    biased: alignment(k, l, whole, group, false),
    debiased: alignment(k, l, whole, group, true),
  };
  const same = Int32Array.from(whole);
  const debiased = aligned.debiased(same);
  const nulls = { biased: [] as number[], debiased: [] as number[] };
  for (let i = 0; i < permutations; i++) {
    const order = rng.split('null').split(i).permutation(whole.length);
    nulls.biased.push(aligned.biased(order));
    nulls.debiased.push(aligned.debiased(order));
  }
  const halves = Array.from({ length: resamples }, (_, i) => {
    const half = rng
      .split('half')
      .split(i)
      .permutation(whole.length)
      .subarray(0, whole.length >> 1);
    return alignment(k, l, [...half], group, true)(Int32Array.from(half, (_, j) => j));
  });
  const tail = (1 - level) / 2;
  const span = (values: number[]) => [quantile(values, tail), quantile(values, 1 - tail)] as const;
  return {
    biased: aligned.biased(same),
    debiased,
    interval: span(halves),
    null: {
      biased: mean(nulls.biased),
      debiased: mean(nulls.debiased),
      // The order as seen is one of the permutations: with it, coverage is exact.
      interval: span([...nulls.debiased, debiased]),
      p: (1 + nulls.debiased.filter((value) => value >= debiased).length) / (1 + permutations),
    },
  };
}

/** Normalised inner product of two centred kernels over some groups; the second's may be reordered. */
function alignment(
  k: Matrix,
  l: Matrix,
  groups: readonly number[],
  group: number,
  unbiased: boolean,
): (order: Int32Array) => number {
  const rows = groups.flatMap((g) => Array.from({ length: group }, (_, i) => g * group + i));
  const n = rows.length;
  const [a, b] = [centredKernel(k, rows, unbiased), centredKernel(l, rows, unbiased)];
  const norm = Math.sqrt(a.reduce((s, v) => s + v * v, 0) * b.reduce((s, v) => s + v * v, 0));
  return (order) => {
    const to = new Int32Array(n);
    for (let i = 0; i < n; i++) to[i] = order[Math.floor(i / group)]! * group + (i % group);
    let sum = 0;
    // Both are symmetric: the lower triangle twice, the diagonal once.
    for (let i = 0; i < n; i++) {
      const base = to[i]! * n;
      for (let j = 0; j < i; j++) sum += 2 * a[i * n + j]! * b[base + to[j]!]!;
      sum += a[i * n + i]! * b[base + to[i]!]!;
    }
    return sum / norm;
  };
}

/**
 * The kernel's sub-matrix, row-major, centred twice: HKH, or U-centred with a zero diagonal (Székely
 * & Rizzo 2014, eq. 3.1), whose inner product is n(n − 3) times the HSIC of Song et al.'s eq. 5.
 */
function centredKernel(k: Matrix, rows: readonly number[], unbiased: boolean): Float64Array {
  const n = rows.length;
  const out = new Float64Array(n * n);
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      if (unbiased && i === j) continue;
      const value = k.get(rows[i]!, rows[j]!);
      out[i * n + j] = value;
      sums[i]! += value;
    }
  const total = sums.reduce((a, b) => a + b, 0);
  const [perRow, perAll] = unbiased ? [n - 2, (n - 1) * (n - 2)] : [n, n * n];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      if (!unbiased || i !== j) out[i * n + j]! += total / perAll - (sums[i]! + sums[j]!) / perRow;
  return out;
}
