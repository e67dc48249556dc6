/**
 * How activations `[batch, pos, …]` lie in memory: as matrices of one row a position, so that every linear
 * map is one matrix product, and in attention, where positions matter, as one tensor a part. There is one
 * part, the whole batch, unless prefixes that repeat are computed apart.
 */
import * as tf from '@grok/tfjs';
import { lastPosition, rotate, rotation } from './ops.js';
import type { Config } from './options.js';
import { type Prefixes, prefixNumbers } from './prefixes.js';

/** Consecutive positions of some rows: of every row of the batch, or of every distinct prefix. */
interface BatchPart {
  readonly rows: number;
  /** Positions are `start … start + length − 1`. */
  readonly start: number;
  readonly length: number;
  /** Tokens that its queries see, `[rows, key]`; none where inputs are features. */
  readonly tokens: tf.Tensor2D | undefined;
}
/** One tensor a part, such as `[rows, pos, head, d_head]`; or that of the last part alone. */
export type Parts = readonly tf.Tensor[];

/** The parts of a batch. */
export interface BatchLayout {
  readonly batch: number;
  /** The batch; or the distinct prefixes, and behind them the batch's other positions. */
  readonly parts: readonly BatchPart[];
  /** With two parts: the number of each row's prefix, `[batch]`. */
  readonly prefix: tf.Tensor | undefined;
  /** Matrices put together to `[batch, pos, …]` so far. */
  readonly assembled: Map<tf.Tensor, tf.Tensor>;
  /** Tokens `[all]`, or features `[all, features]`: one row a position, part after part. */
  readonly inputs: tf.Tensor;
}

/** Lays out a batch; with prefixes, their positions are computed once, for the batch's rows to attend to. */
export function layOutBatch(
  cfg: Config,
  inputs: tf.Tensor,
  shared: readonly Prefixes[] | undefined,
): BatchLayout {
  const [batch = 0] = inputs.shape;
  const tokens = cfg.features === undefined ? (inputs as tf.Tensor2D) : undefined;
  const longest = shared?.at(-1);
  if (shared === undefined || longest === undefined) {
    const flat = tf.reshape(inputs, cfg.features === undefined ? [-1] : [-1, cfg.features]);
    const whole = { rows: batch, start: 0, length: cfg.length, tokens };
    return { batch, parts: [whole], prefix: undefined, assembled: new Map(), inputs: flat };
  }
  const { length, count, tokens: distinct } = longest;
  const others = tf.reshape(tf.slice(inputs, [0, length], [-1, -1]), [-1]); // [batch · (pos − length)]
  const prefixes = tf.tensor2d(distinct, [count, length], 'int32');
  return {
    batch,
    parts: [
      { rows: count, start: 0, length, tokens: prefixes },
      { rows: batch, start: length, length: cfg.length - length, tokens },
    ],
    prefix: prefixNumbers(inputs, shared, cfg.vocabulary),
    assembled: new Map(),
    inputs: tf.concat([tf.reshape(prefixes, [-1]), others]),
  };
}

/** `[all, …]` → one `[rows, pos, …shape]` a part; a matrix of the last positions is one part of one position. */
export function splitRows(
  layout: BatchLayout,
  x: tf.Tensor,
  shape: readonly number[] = x.shape.slice(1),
): Parts {
  if (isLast(layout, x)) return [tf.reshape(x, [layout.batch, 1, ...shape])];
  const sizes = layout.parts.map(({ rows, length }) => rows * length);
  const pieces = sizes.length === 1 ? [x] : tf.split(x, sizes, 0);
  return zip(layout.parts, pieces, ({ rows, length }, piece) =>
    tf.reshape(piece, [rows, length, ...shape]),
  );
}
/** One `[rows, pos, …]` a part → `[all, width]`. */
export function concatRows(parts: Parts, width: number): tf.Tensor {
  const flat = parts.map((part) => tf.reshape(part, [-1, width]));
  return flat.reduce((above, below) => tf.concat([above, below], 0));
}
/** Pairs each part of the queries with that of the keys, counted from the last part, which both have. */
export function zip<Q, K, R>(
  queries: readonly Q[],
  keys: readonly K[],
  f: (query: Q, key: K) => R,
): readonly R[] {
  return queries.map((query, i) => {
    const key = keys.at(i - queries.length);
    if (key === undefined)
      throw new RangeError(
        `zip: got ${queries.length} parts of queries and ${keys.length} of keys`,
      );
    return f(query, key);
  });
}

/** What the queries of each part may look at, `[rows, pos, …]` → `[rows, key, …]`: behind their prefix's positions, their own. */
export function toKeys(layout: BatchLayout, parts: Parts): Parts {
  const [first, rest] = parts;
  if (first === undefined || rest === undefined) return parts;
  return [first, tf.concat([spread(layout, first), rest], 1)];
}
/** Values of the prefixes, handed to the rows that begin with them: `[prefixes, …]` → `[batch, …]`. */
function spread({ prefix }: BatchLayout, x: tf.Tensor): tf.Tensor {
  return prefix === undefined ? x : tf.gather(x, prefix);
}
/** The parts put together to `[batch, …axes]`, as whoever asked for the site gets them. */
export function assemble(layout: BatchLayout, parts: Parts, axes: readonly string[]): tf.Tensor {
  const [first, rest] = parts;
  if (first === undefined) throw new RangeError('assemble: got no part');
  if (rest === undefined) return first;
  const key = axes.indexOf('key') + 1;
  const query = 1 + axes.findIndex((axis) => axis === 'query' || axis === 'pos');
  if (key === 0) return tf.concat([spread(layout, first), rest], query);
  // A query of a prefix gives nothing to keys beyond it.
  const beyond = first.shape.map((n, axis) => (axis === key ? (rest.shape[key] ?? n) - n : n));
  const padded = tf.concat([first, tf.zeros(beyond)], key);
  return tf.concat([spread(layout, padded), rest], query);
}

/** A matrix `[all, …]` as `[batch, pos, …shape]`. */
export function assembleRows(
  layout: BatchLayout,
  x: tf.Tensor,
  shape: readonly number[] = x.shape.slice(1),
): tf.Tensor {
  const whole = assemble(layout, splitRows(layout, x, shape), ['pos']);
  layout.assembled.set(x, whole);
  return whole;
}
/** A matrix `[all, d]` as `[batch, pos, d]`; the tensor that was delivered, if it was. */
export function wholeRows(layout: BatchLayout, x: tf.Tensor): tf.Tensor {
  return layout.assembled.get(x) ?? assembleRows(layout, x);
}

/** Whether a matrix has the last position of each row alone; `[all, d]` has more rows, if there are more positions. */
export function isLast({ batch }: BatchLayout, x: tf.Tensor): boolean {
  return x.shape[0] === batch;
}
/** The last position of every row of the batch, `[all, d]` → `[batch, d]`. */
export function lastRows(layout: BatchLayout, x: tf.Tensor): tf.Tensor {
  if (isLast(layout, x)) return x;
  const last = splitRows(layout, x).at(-1);
  return last === undefined ? x : lastPosition(last);
}
/** The last query of every row, `[rows, head, query, key]` → `[batch, head, 1, key]`. */
export function lastQueries(patterns: Parts): Parts {
  return patterns.slice(-1).map((pattern) => {
    const [rows = 0, heads = 0, query = 0, key = 0] = pattern.shape;
    if (query === 1) return pattern;
    const last = lastPosition(tf.reshape(pattern, [rows * heads, query, key])); // [rows · head, key]
    return tf.reshape(last, [rows, heads, 1, key]);
  });
}
/** `x + y` at the positions that `y` has. */
export function addResidual(layout: BatchLayout, x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  return tf.add(isLast(layout, y) ? lastRows(layout, x) : x, y);
}
/** `[rows, pos, head, d_head]` → `[rows, head, pos, d_head]`; with one head only a reshape. */
export function byHead(x: tf.Tensor): tf.Tensor {
  const [rows = 0, pos = 0, heads = 0, dHead = 0] = x.shape;
  if (heads === 1) return tf.reshape(x, [rows, 1, pos, dHead]);
  return tf.transpose(x, [0, 2, 1, 3]);
}

/** The embeddings of positions `[pos, d]`, for every row: `[all, d]`. */
export function positionRows(layout: BatchLayout, table: tf.Tensor): tf.Tensor {
  const parts = layout.parts.map(({ rows, start, length }) =>
    tf.tile(tf.slice(table, [start, 0], [length, -1]), [rows, 1]),
  );
  return tf.concat(parts, 0);
}
/** Queries or keys `[rows, pos, head, d_head]` turned by their positions, which are the last ones of their part. */
export function rotateParts(layout: BatchLayout, parts: Parts, base: number): Parts {
  return zip(parts, layout.parts, (x, { start, length }) => {
    const [, count = 0, , dHead = 0] = x.shape;
    const positions = Array.from({ length: count }, (_, i) => start + length - count + i);
    return rotate(x, rotation(positions, dHead, base));
  });
}
/** A dropout mask `[batch, pos, d]` as 0 and 1 at the positions of `x`, in its shape but for size 1 beside `d`. */
export function maskRows({ batch }: BatchLayout, mask: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const [, length = 1, width = 1] = mask.shape;
  const chosen =
    x.shape[0] === batch && length > 1 ? tf.slice(mask, [0, length - 1, 0], [-1, 1, -1]) : mask;
  const shape = [-1, ...x.shape.slice(1, -1).map(() => 1), width];
  return tf.cast(tf.reshape(chosen, shape), 'float32');
}
