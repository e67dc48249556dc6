/**
 * Clusters of observations by k-means (Lloyd 1982) from k-means++ starts (Arthur & Vassilvitskii 2007), how far
 * apart they are (silhouette, Rousseeuw 1987), and what they say of another grouping of the same rows.
 */
import { InputError, type Rng } from '@grok/core';
import { dropRounding } from '@grok/core/internal';
import { type Rows, toMatrix } from './rows.js';
import { addAt, average, drawPermutations } from './sample.js';

/** Observations in groups. */
export interface Clusters {
  /** The cluster of each observation; cluster 0 is the largest. */
  readonly labels: readonly number[];
  /** `[cluster, d]`: the mean of each cluster's observations. */
  readonly centroids: readonly (readonly number[])[];
  readonly sizes: readonly number[];
  /** Σ of squared distances to the own centroid. */
  readonly inertia: number;
  /** Mean silhouette, −1–1; NaN of one cluster. */
  readonly silhouette: number;
}
/** How to search for clusters. */
export interface ClusterOptions {
  readonly rng: Rng;
  /** Starts, of which the one with the least inertia is kept; default 8. */
  readonly starts?: number;
  /** Rounds of each start at most; default 100. */
  readonly rounds?: number;
}

/**
 * `k` clusters of observations `[…, d]`, fewer where there are not as many different observations.
 * @throws InputError unless k is an integer from 1 to the number of observations.
 */
export function kMeans(value: Rows, k: number, options: ClusterOptions): Clusters {
  const { rng, starts = 8, rounds = 100 } = options;
  const x = toMatrix(value).to2DArray();
  if (!Number.isInteger(k) || k < 1 || k > x.length)
    throw new InputError(
      `k-means: k must be an integer from 1 to ${x.length}, the number of rows, got ${k}`,
    );
  const found = Array.from({ length: starts }, (_, start) =>
    improve(x, chooseStart(x, k, rng.split(start)), rounds),
  );
  const best = found.reduce((a, b) => (b.inertia < a.inertia ? b : a));
  return bySize(best, x);
}

/** Centroids drawn one by one with chances in proportion to the squared distance from those before. */
function chooseStart(x: readonly number[][], k: number, rng: Rng): readonly (readonly number[])[] {
  const uniform = rng.uniform(k);
  const centroids = [x[Math.floor((uniform[0] ?? 0) * x.length)] ?? []];
  const nearest = x.map(() => Number.POSITIVE_INFINITY);
  for (const u of uniform.subarray(1)) {
    const last = centroids.at(-1) ?? [];
    for (const [i, row] of x.entries())
      nearest[i] = Math.min(nearest[i] ?? 0, squaredDistance(row, last));
    let left = u * nearest.reduce((sum, d) => sum + d, 0);
    if (left === 0) break; // Every observation is a centroid.
    const next = nearest.findIndex((d) => {
      left -= d;
      return left < 0;
    });
    centroids.push(x[next === -1 ? nearest.indexOf(Math.max(...nearest)) : next] ?? []);
  }
  return centroids;
}

type Partition = Pick<Clusters, 'labels' | 'centroids' | 'inertia'>;

/** Lloyd's rounds: observations go to the nearest centroid, centroids to the mean, until nothing moves. */
function improve(
  x: readonly number[][],
  start: readonly (readonly number[])[],
  rounds: number,
): Partition {
  let found = assignRows(x, start);
  for (let round = 1; round < rounds; round++) {
    const next = assignRows(x, computeMeans(x, found));
    if (next.labels.every((label, i) => label === found.labels[i])) return next;
    found = next;
  }
  return found;
}

function assignRows(x: readonly number[][], centroids: Partition['centroids']): Partition {
  let inertia = 0;
  const labels = x.map((row) => {
    const distances = centroids.map((centroid) => squaredDistance(row, centroid));
    const least = Math.min(...distances);
    inertia += least;
    return Math.max(0, distances.indexOf(least));
  });
  return { labels, centroids, inertia };
}

/** Means of the clusters; one that lost all its observations stays where it is. */
function computeMeans(
  x: readonly number[][],
  { labels, centroids }: Partition,
): Partition['centroids'] {
  const sums = centroids.map((centroid) => ({ count: 0, sum: new Array(centroid.length).fill(0) }));
  for (const [i, row] of x.entries()) {
    const own = sums[labels[i] ?? 0];
    if (own === undefined) continue;
    own.count++;
    for (const [j, v] of row.entries()) own.sum[j] += v;
  }
  return sums.map(({ count, sum }, c) =>
    count === 0 ? (centroids[c] ?? []) : sum.map((v: number) => v / count),
  );
}

/** The same clusters, the largest first; empty ones are left out. */
function bySize({ labels, centroids, inertia }: Partition, x: readonly number[][]): Clusters {
  const sizes = centroids.map((_, c) => labels.filter((label) => label === c).length);
  const order = [...sizes.keys()]
    .filter((c) => (sizes[c] ?? 0) > 0)
    .sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0));
  const sorted = labels.map((label) => order.indexOf(label));
  return {
    labels: sorted,
    centroids: order.map((c) => centroids[c] ?? []),
    sizes: order.map((c) => sizes[c] ?? 0),
    inertia,
    silhouette: silhouette(x, sorted),
  };
}

/**
 * Mean over observations of (b − a) / max(a, b), a the mean distance to the others of the own cluster and b to
 * those of the nearest other; 0 for an observation alone in its cluster. NaN of fewer than two clusters. O(n²·d).
 */
export function silhouette(value: Rows, labels: readonly number[]): number {
  const x = toMatrix(value).to2DArray();
  checkLabels('silhouette', labels.length, x.length);
  const names = [...new Set(labels)];
  const sizes = new Map(names.map((name) => [name, labels.filter((l) => l === name).length]));
  if (names.length < 2) return Number.NaN;
  const scores = x.map((row, i) => {
    const sums = new Map(names.map((name) => [name, 0]));
    for (const [j, other] of x.entries()) {
      const name = labels[j] ?? 0;
      sums.set(name, (sums.get(name) ?? 0) + Math.sqrt(squaredDistance(row, other)));
    }
    const own = labels[i] ?? 0;
    const others = (sizes.get(own) ?? 1) - 1;
    if (others === 0) return 0;
    const a = (sums.get(own) ?? 0) / others;
    const b = Math.min(
      ...names
        .filter((name) => name !== own)
        .map((name) => (sums.get(name) ?? 0) / (sizes.get(name) ?? 1)),
    );
    return a === b ? 0 : (b - a) / Math.max(a, b);
  });
  return average(scores);
}

function squaredDistance(x: readonly number[], y: readonly number[]): number {
  let sum = 0;
  for (const [i, v] of x.entries()) sum += (v - (y[i] ?? 0)) ** 2;
  return sum;
}

/** What two groupings of the same rows have in common, with what chance would show. */
export interface Association {
  /** Mutual information in nats. */
  readonly mutualInformation: number;
  /** Hubert and Arabie's (1985) adjusted Rand index: 1 for the same grouping, 0 on average by chance; NaN where both have one group. */
  readonly adjustedRand: number;
  readonly null: {
    /** Mean mutual information when the rows of one are permuted. */
    readonly mutualInformation: number;
    /** Share of permutations with at least as much, the one seen counted. */
    readonly p: number;
  };
}

/**
 * Association of two groupings of the same rows, an integer for each row, with a permutation null.
 * @throws InputError on groupings of different lengths.
 */
export function associate(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { rng, permutations = 999 }: { readonly rng: Rng; readonly permutations?: number },
): Association {
  checkLabels('association', x.length, y.length);
  const [a, b] = [numberGroups(x), numberGroups(y)];
  const seen = contingency(a, b);
  const information = mutualInformation(seen);
  let [sum, atLeast] = [0, 1];
  for (const order of drawPermutations(rng, b.labels.length, permutations)) {
    const drawn = mutualInformation(
      contingency(a, { ...b, labels: Int32Array.from(order, (i) => b.labels[i] ?? 0) }),
    );
    sum += drawn;
    // Counts that are the same in another order give the same sum but for rounding.
    if (dropRounding(drawn - information, Math.log(a.labels.length)) >= 0) atLeast++;
  }
  return {
    mutualInformation: information,
    adjustedRand: adjustedRand(seen),
    null: { mutualInformation: sum / permutations, p: atLeast / (permutations + 1) },
  };
}

interface Groups {
  readonly count: number;
  readonly labels: Int32Array;
}

function numberGroups(values: ArrayLike<number>): Groups {
  const numbers = new Map<number, number>();
  const labels = Int32Array.from(values, (value) => {
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  });
  return { count: numbers.size, labels };
}

/** Rows by their group in x and in y, with the sums of both: `cells` is `[x, y]`, row-major. */
interface Contingency {
  readonly cells: Float64Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly rows: number;
}

function contingency(x: Groups, y: Groups): Contingency {
  const out = {
    cells: new Float64Array(x.count * y.count),
    x: new Float64Array(x.count),
    y: new Float64Array(y.count),
    rows: x.labels.length,
  };
  for (const [row, i] of x.labels.entries()) {
    const j = y.labels[row] ?? 0;
    addAt(out.cells, i * y.count + j, 1);
    addAt(out.x, i, 1);
    addAt(out.y, j, 1);
  }
  return out;
}

function mutualInformation({ cells, x, y, rows }: Contingency): number {
  let sum = 0;
  for (const [at, count] of cells.entries()) {
    if (count === 0) continue;
    const [i, j] = [Math.floor(at / y.length), at % y.length];
    sum += (count / rows) * Math.log((count * rows) / ((x[i] ?? 0) * (y[j] ?? 0)));
  }
  return Math.max(0, sum);
}

function adjustedRand({ cells, x, y, rows }: Contingency): number {
  const pairs = (counts: Float64Array): number =>
    counts.reduce((sum, count) => sum + (count * (count - 1)) / 2, 0);
  const [both, inX, inY] = [pairs(cells), pairs(x), pairs(y)];
  const expected = (inX * inY) / ((rows * (rows - 1)) / 2);
  return (both - expected) / ((inX + inY) / 2 - expected);
}

function checkLabels(what: string, a: number, b: number): void {
  if (a !== b)
    throw new InputError(`${what}: ${a} and ${b} rows; give both groupings the same rows`);
}
