/**
 * Modes of an attention head: clusters of its patterns over inputs, what they follow of the inputs, and which
 * mode of one model is which of another.
 */
import { type HostArray, InputError, type Rng } from '@grok/core';
import { assign } from '@grok/core/internal';
import { type Association, associate, type Clusters, kMeans } from './clusters.js';
import { centered, singularValues, toMatrix } from './rows.js';
import { addAt, average, drawPermutations } from './sample.js';

/** The modes of one head. */
export interface AttentionModes extends Clusters {
  readonly head: number;
  /** Sizes of a centroid as a heat map: `[queries, keys]`, row-major. */
  readonly shape: readonly [queries: number, keys: number];
  /** What chance would show: the mean silhouette of as many clusters of normal draws with the patterns' covariance. */
  readonly chance: number;
  /** By the name of the grouping: what the mode says of it. */
  readonly related: Readonly<Record<string, Association>>;
}
/** How to search for modes. */
export interface ModeOptions {
  readonly rng: Rng;
  /** Number of modes; by default that of 2 … 6 with the largest silhouette. */
  readonly modes?: number;
  /** Queries whose patterns count, negative ones from the end; default the last, which alone is read in most models. All: `'all'`. */
  readonly query?: number | 'all';
  /** Groupings of the rows that modes may follow (a, b, the answer): an integer for each row. */
  readonly groupings?: Readonly<Record<string, ArrayLike<number>>>;
  readonly permutations?: number;
}

const MOST = 6;
const REFERENCES = 5;

/**
 * Modes of every head of a pattern `[batch, head, query, key]` over its rows.
 * @throws InputError for another rank, a query that is not there, or a grouping of another length.
 */
export function attentionModes(
  pattern: HostArray,
  options: ModeOptions,
): readonly AttentionModes[] {
  const [rows = 0, heads = 0] = pattern.shape;
  if (pattern.shape.length !== 4 || rows < 3)
    throw new InputError(
      `attention modes: needs [batch, head, query, key] of at least 3 rows, got [${pattern.shape}]`,
    );
  for (const [name, { length }] of Object.entries(options.groupings ?? {}))
    if (length !== rows)
      throw new InputError(`grouping "${name}": ${length} rows, the patterns have ${rows}`);
  return Array.from({ length: heads }, (_, head) => headModes(pattern, head, options));
}

function headModes(pattern: HostArray, head: number, options: ModeOptions): AttentionModes {
  const { groupings = {}, permutations } = options;
  const rng = options.rng.split(head);
  const { shape, patterns } = takeHead(pattern, head, options.query ?? -1);
  const clusters = findModes(patterns, rng, options.modes);
  const related = Object.entries(groupings).map(([name, groups]) => {
    const drawing = {
      rng: rng.split(name),
      ...(permutations === undefined ? {} : { permutations }),
    };
    return [name, associate(clusters.labels, groups, drawing)] as const;
  });
  return {
    head,
    shape,
    ...clusters,
    chance: referenceSilhouette(patterns, rng, clusters.sizes.length),
    related: Object.fromEntries(related),
  };
}

function findModes(
  patterns: readonly (readonly number[])[],
  rng: Rng,
  modes: number | undefined,
): Clusters {
  const counts = modes === undefined ? range(2, Math.min(MOST, patterns.length)) : [modes];
  const found = counts.map((k) => kMeans(patterns, k, { rng: rng.split(k) }));
  const better = (a: Clusters, b: Clusters): Clusters => (b.silhouette > a.silhouette ? b : a);
  return found.reduce(better);
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Mean silhouette over normal draws: any covariance has clusters, the more elongated the better ones. */
function referenceSilhouette(
  patterns: readonly (readonly number[])[],
  rng: Rng,
  modes: number,
): number {
  const x = centered(toMatrix(patterns));
  // Distances do not depend on the directions of the principal axes.
  const lengths = singularValues(x).map((s) => s / Math.sqrt(x.rows - 1));
  const values = range(1, REFERENCES).map((i) => {
    const own = rng.split(`reference-${i}`);
    const normal = own.normal(x.rows * lengths.length);
    const draws = range(0, x.rows - 1).map((row) =>
      lengths.map((length, j) => length * (normal[row * lengths.length + j] ?? 0)),
    );
    return kMeans(draws, Math.min(modes, x.rows), { rng: own, starts: 2 }).silhouette;
  });
  return average(values);
}

/** One head's patterns at one query, or at all, `[rows][queries · keys]`. */
function takeHead(
  { data, shape }: HostArray,
  head: number,
  query: number | 'all',
): {
  readonly shape: readonly [number, number];
  readonly patterns: readonly (readonly number[])[];
} {
  const [rows = 0, heads = 0, queries = 0, keys = 0] = shape;
  const at = query === 'all' ? 0 : query < 0 ? queries + query : query;
  if (!Number.isInteger(at) || at < 0 || at >= queries)
    throw new InputError(
      `attention modes: query must be an integer from 0 to ${queries - 1} (or −${queries} to −1), or "all", got ${query}`,
    );
  const taken = query === 'all' ? queries : 1;
  const patterns = range(0, rows - 1).map((row) => {
    const start = ((row * heads + head) * queries + at) * keys;
    return Array.from(data.subarray(start, start + taken * keys));
  });
  return { shape: [taken, keys], patterns };
}

/** A head of one model, its partner in another, and which of their modes are one. */
export interface MatchedModes {
  readonly heads: readonly [a: number, b: number];
  /** Modes of both, and the rows that are in both. */
  readonly pairs: readonly { readonly a: number; readonly b: number; readonly rows: number }[];
  /** Share of rows whose modes are matched. */
  readonly agreement: number;
  readonly null: {
    /** Mean agreement when the rows of one model are permuted and heads and modes are matched anew. */
    readonly agreement: number;
    /** Share of permutations with at least as much, the one seen counted. */
    readonly p: number;
  };
}
type HeadModes = Pick<AttentionModes, 'head' | 'labels'>;

/**
 * Matches heads of one layer of two models by optimal assignment on the rows that their modes share, and their
 * modes likewise; where one model has more heads, some stay alone.
 * @throws InputError unless all patterns are of the same inputs
 */
export function matchModes(
  a: readonly HeadModes[],
  b: readonly HeadModes[],
  { rng, permutations = 999 }: { readonly rng: Rng; readonly permutations?: number },
): readonly MatchedModes[] {
  const rows = a[0]?.labels.length ?? 0;
  if ([...a, ...b].some(({ labels }) => labels.length !== rows))
    throw new InputError('attention modes: give both models the same inputs');
  const found = matchHeads(a, b);
  const draws = Array.from(drawPermutations(rng, rows, permutations), (order) => {
    const permuted = b.map(({ head, labels }) => ({
      head,
      labels: Array.from(order, (row) => labels[row] ?? 0),
    }));
    return new Map(matchHeads(a, permuted).map((match) => [match.heads[0], match.shared]));
  });
  return found.map(({ heads, pairs, shared }) => {
    // A wide model's head may stay alone in a draw: nothing is shared then.
    const drawn = draws.map((each) => each.get(heads[0]) ?? 0);
    const atLeast = drawn.filter((value) => value >= shared).length;
    return {
      ...{ heads, pairs, agreement: shared / rows },
      null: { agreement: average(drawn) / rows, p: (1 + atLeast) / (permutations + 1) },
    };
  });
}

interface Match extends Pick<MatchedModes, 'heads' | 'pairs'> {
  readonly shared: number;
}

function matchHeads(a: readonly HeadModes[], b: readonly HeadModes[]): readonly Match[] {
  const found = a.map((x) => b.map((y) => matchClusters(x.labels, y.labels)));
  return pairUp(found.map((row) => row.map(({ shared }) => shared))).flatMap(([i, j]) => {
    const match = found[i]?.[j];
    return match === undefined ? [] : [{ heads: [a[i]?.head ?? i, b[j]?.head ?? j], ...match }];
  });
}

/** Pairs of clusters of two partitions by optimal assignment on shared rows. */
function matchClusters(x: readonly number[], y: readonly number[]): Omit<Match, 'heads'> {
  const width = Math.max(...y) + 1;
  const table = range(0, Math.max(...x)).map(() => new Float64Array(width));
  for (const [row, i] of x.entries()) addAt(table[i] ?? new Float64Array(), y[row] ?? 0, 1);
  const pairs = pairUp(table).map(([a, b]) => ({ a, b, rows: table[a]?.[b] ?? 0 }));
  return { shared: pairs.reduce((sum, { rows }) => sum + rows, 0), pairs };
}

/** Rows with columns so that the sum of their scores is largest, as many as there are of the fewer. */
function pairUp(scores: readonly ArrayLike<number>[]): readonly (readonly [number, number])[] {
  const columns = scores[0]?.length ?? 0;
  const isWide = scores.length > columns;
  const score = (row: number, column: number): number => scores[row]?.[column] ?? 0;
  const cost = isWide
    ? range(0, columns - 1).map((column) => scores.map((_, row) => -score(row, column)))
    : scores.map((row) => Array.from(row, (value) => -value));
  return Array.from(assign(cost), (partner, own): readonly [number, number] =>
    isWide ? [partner, own] : [own, partner],
  ).toSorted((p, q) => p[0] - q[0]);
}
