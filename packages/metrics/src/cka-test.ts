/** How far to believe a CKA: its values under permutations of the inputs, and an interval over halves of them. */
import { InputError, type Rng } from '@grok/core';
import { dropRounding } from '@grok/core/internal';
import { combineHsic, normalizeHsic } from './cka.js';
import { centered, checkPaired, type Rows, toMatrix } from './rows.js';
import { dot, quantile } from './sample.js';

/** CKA of two representations with an interval and a permutation test. */
export interface CkaTest {
  readonly biased: number;
  readonly debiased: number;
  /** Half-sampling interval of the debiased value. */
  readonly interval: readonly [number, number];
  /**
   * Under permutations of y's rows: exact means, the interval of the debiased value, and the p-value, the share
   * of permutations with a value at least as large up to rounding (NaN if the value is NaN).
   */
  readonly null: {
    readonly biased: number;
    readonly debiased: number;
    readonly interval: readonly [number, number];
    readonly p: number;
  };
}

/** A kernel matrix `[n, n]`, row-major and symmetric. */
interface Kernel {
  readonly n: number;
  readonly data: Float64Array;
}

/**
 * Biased and debiased linear CKA with a permutation test and an interval of level `level` (.95). The interval
 * has the quantiles over random halves of the rows, whose spread is that of the whole (Shao & Wu 1989, delete-d
 * jackknife with d = n/2); resampling with replacement would repeat rows, which biases CKA. Each `group` of
 * consecutive rows (such as the positions of one input) is permuted and sampled together. Needs memory for 4·n²
 * numbers.
 * @throws InputError on different numbers of rows, or on more than 8,192.
 */
export function ckaTest(
  x: Rows,
  y: Rows,
  options: { rng: Rng; permutations?: number; resamples?: number; level?: number; group?: number },
): CkaTest {
  const { rng, permutations = 999, resamples = 500, level = 0.95, group = 1 } = options;
  const [a, b] = [centered(toMatrix(x)), centered(toMatrix(y))];
  checkPaired('CKA test', a, b, 8 * group);
  if (a.rows % group !== 0)
    throw new InputError(`CKA test: ${a.rows} rows do not divide into groups of ${group}`);
  if (a.rows > 8192)
    throw new InputError(
      `CKA test: takes at most 8192 rows, got ${a.rows}; give it a part of them`,
    );
  const [k, l] = [centeredKernel(a), centeredKernel(b)];
  const plain = centredTwice(k, false);
  const [kU, lU] = [centredTwice(k, true), centredTwice(l, true)];
  const size = Math.sqrt(offRounding(kU, k) * offRounding(lU, l)) || Number.NaN;
  const [biasedSize, groups] = [Math.sqrt(inner(plain, plain) * inner(l, l)), a.rows / group];
  const debiased = Math.min(inner(kU, lU) / size, 1);
  const draws = Array.from({ length: permutations }, (_, i) => {
    const order = expand(rng.split('null').split(i).permutation(groups), group);
    return permutedInner(kU, lU, order) / size;
  });
  const halves = Array.from({ length: resamples }, (_, i) => {
    const half = rng
      .split('half')
      .split(i)
      .permutation(groups)
      .subarray(0, groups >> 1);
    return debiasedOver(k, l, expand(half, group));
  });
  const atLeast = draws.filter((value) => dropRounding(value - debiased, 1) >= 0).length;
  const tail = (1 - level) / 2;
  const span = (values: number[]) => [quantile(values, tail), quantile(values, 1 - tail)] as const;
  return {
    biased: Math.min(inner(plain, l) / biasedSize, 1),
    debiased,
    interval: span(halves),
    null: {
      biased: expectedInner(plain, l, group) / biasedSize,
      debiased: expectedInner(kU, lU, group) / size,
      // The order as seen is one of the permutations: with it, coverage is exact.
      interval: span([...draws, debiased]),
      p: Number.isNaN(debiased) ? Number.NaN : (1 + atLeast) / (1 + permutations),
    },
  };
}

/** x·xᵀ of centered rows, which is centered too. */
function centeredKernel(x: ReturnType<typeof toMatrix>): Kernel {
  const product = x.mmul(x.transpose()); // [n, n]
  return { n: x.rows, data: Float64Array.from(product.to1DArray()) };
}

/**
 * HKH, or U-centered with a zero diagonal (Székely & Rizzo 2014, eq. 3.1), whose inner product is
 * n(n − 3) times the HSIC of Song et al. 2012, eq. 5.
 */
function centredTwice({ n, data }: Kernel, unbiased: boolean): Kernel {
  const out = data.slice();
  if (unbiased) for (let i = 0; i < n; i++) out[i * n + i] = 0;
  const sums = Float64Array.from({ length: n }, (_, i) => total(out.subarray(i * n, (i + 1) * n)));
  const all = total(sums);
  const [perRow, perAll] = unbiased ? [n - 2, (n - 1) * (n - 2)] : [n, n * n];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      if (!unbiased || i !== j) out[i * n + j]! += all / perAll - (sums[i]! + sums[j]!) / perRow;
  return { n, data: out };
}

/** Σ u² of a kernel u that was centered from k; 0 where centring leaves nothing but rounding. */
function offRounding(u: Kernel, k: Kernel): number {
  return dropRounding(inner(u, u), inner(k, k));
}

/** Σ k·l. */
function inner(k: Kernel, l: Kernel): number {
  return dot(k.data, l.data);
}

/** Σ k[i, j]·l[order i, order j] of symmetric kernels. */
function permutedInner(k: Kernel, l: Kernel, order: Int32Array): number {
  const n = k.n;
  let [below, diagonal] = [0, 0];
  for (let i = 0; i < n; i++) {
    const [row, other] = [i * n, order[i]! * n];
    for (let j = 0; j < i; j++) below += k.data[row + j]! * l.data[other + order[j]!]!;
    diagonal += k.data[row + i]! * l.data[other + order[i]!]!;
  }
  return 2 * below + diagonal;
}

/** Mean of `permutedInner` over all permutations of groups: same and different groups apart, for each pair of places. */
function expectedInner(k: Kernel, l: Kernel, group: number): number {
  const groups = k.n / group;
  const sums = ({ n, data }: Kernel, p: number, q: number) => {
    let [same, other] = [0, 0];
    for (let i = p; i < n; i += group)
      for (let j = q; j < n; j += group)
        if (i - p === j - q) same += data[i * n + j]!;
        else other += data[i * n + j]!;
    return { same, other };
  };
  let mean = 0;
  for (let p = 0; p < group; p++)
    for (let q = 0; q < group; q++) {
      const [a, b] = [sums(k, p, q), sums(l, p, q)];
      mean += (a.same * b.same) / groups + (a.other * b.other) / (groups * (groups - 1));
    }
  return mean;
}

/** Debiased CKA over some rows: Song et al. 2012, eq. 5, from sums in one pass. */
function debiasedOver(k: Kernel, l: Kernel, rows: Int32Array): number {
  const n = rows.length;
  const [kRows, lRows] = [new Float64Array(n), new Float64Array(n)];
  let [kk, kl, ll] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const base = rows[i]! * k.n;
    for (let j = 0; j < i; j++) {
      const at = base + rows[j]!;
      const [a, b] = [k.data[at]!, l.data[at]!];
      kk += 2 * a * a;
      kl += 2 * a * b;
      ll += 2 * b * b;
      kRows[i]! += a;
      kRows[j]! += a;
      lRows[i]! += b;
      lRows[j]! += b;
    }
  }
  const hsic = (trace: number, a: Float64Array, b: Float64Array) =>
    combineHsic(n, { trace, totals: total(a) * total(b), cross: dot(a, b) }, trace);
  return normalizeHsic(hsic(kl, kRows, lRows), hsic(kk, kRows, kRows), hsic(ll, lRows, lRows));
}

function total(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Row numbers of groups. */
function expand(groups: Int32Array, group: number): Int32Array {
  return Int32Array.from(
    [...groups].flatMap((each) => Array.from({ length: group }, (_, i) => each * group + i)),
  );
}
