/**
 * Memory layout of activations `[batch, pos, …]`: matrices with one row per position, so that every
 * linear map is one matrix product, and in attention, where positions matter, one tensor per part.
 * The whole batch is one part, unless repeated prefixes are computed separately.
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
  /** Tokens that its queries attend to, `[rows, key]`; undefined when inputs are features. */
  readonly tokens: tf.Tensor2D | undefined;
}
/** One tensor per part, such as `[rows, pos, head, d_head]`, or only that of the last part. */
export type Parts = readonly tf.Tensor[];

/** The parts of a batch. */
export interface BatchLayout {
  readonly batch: number;
  /** The batch, or the distinct prefixes followed by the batch's other positions. */
  readonly parts: readonly BatchPart[];
  /** With two parts: the prefix number of each row, `[batch]`. */
  readonly prefix: tf.Tensor | undefined;
  /** Cache of matrices already assembled to `[batch, pos, …]`. */
  readonly assembled: Map<tf.Tensor, tf.Tensor>;
  /** Tokens `[all]` or features `[all, features]`: one row per position, part after part. */
  readonly inputs: tf.Tensor;
}

/** Lays out a batch; with prefixes, their positions are computed once, and the batch's rows attend to them. */
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

/** `[all, …]` → one `[rows, pos, …shape]` per part; a matrix of last positions is one part with one position. */
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
/** One `[rows, pos, …]` per part → `[all, width]`. */
export function concatRows(parts: Parts, width: number): tf.Tensor {
  const flat = parts.map((part) => tf.reshape(part, [-1, width]));
  return flat.reduce((above, below) => tf.concat([above, below], 0));
}
/** Pairs each part of the queries with that of the keys, aligned at the last part, which both have. */
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

/** What the queries of each part can attend to, `[rows, pos, …]` → `[rows, key, …]`: their prefix's positions, then their own. */
export function toKeys(layout: BatchLayout, parts: Parts): Parts {
  const [first, rest] = parts;
  if (first === undefined || rest === undefined) return parts;
  return [first, tf.concat([spread(layout, first), rest], 1)];
}
/** Copies values of the prefixes to the rows that start with them: `[prefixes, …]` → `[batch, …]`. */
function spread({ prefix }: BatchLayout, x: tf.Tensor): tf.Tensor {
  return prefix === undefined ? x : tf.gather(x, prefix);
}
/** Assembles the parts to `[batch, …axes]`, the shape in which a site is delivered. */
export function assemble(layout: BatchLayout, parts: Parts, axes: readonly string[]): tf.Tensor {
  const [first, rest] = parts;
  if (first === undefined) throw new RangeError('assemble: got no part');
  if (rest === undefined) return first;
  const key = axes.indexOf('key') + 1;
  const query = 1 + axes.findIndex((axis) => axis === 'query' || axis === 'pos');
  if (key === 0) return tf.concat([spread(layout, first), rest], query);
  // A prefix's queries have zero attention to keys after the prefix.
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
/** A matrix `[all, d]` as `[batch, pos, d]`; reuses the delivered tensor if there is one. */
export function wholeRows(layout: BatchLayout, x: tf.Tensor): tf.Tensor {
  return layout.assembled.get(x) ?? assembleRows(layout, x);
}

/** Whether a matrix has only the last position of each row; with more than one position, `[all, d]` has more rows. */
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
/** `x + y`, at the positions in `y`. */
export function addResidual(layout: BatchLayout, x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  return tf.add(isLast(layout, y) ? lastRows(layout, x) : x, y);
}
/** `[rows, pos, head, d_head]` → `[rows, head, pos, d_head]`; for one head this is only a reshape. */
export function byHead(x: tf.Tensor): tf.Tensor {
  const [rows = 0, pos = 0, heads = 0, dHead = 0] = x.shape;
  if (heads === 1) return tf.reshape(x, [rows, 1, pos, dHead]);
  return tf.transpose(x, [0, 2, 1, 3]);
}

/** Position embeddings `[pos, d]`, repeated for every row: `[all, d]`. */
export function positionRows(layout: BatchLayout, table: tf.Tensor): tf.Tensor {
  const parts = layout.parts.map(({ rows, start, length }) =>
    tf.tile(tf.slice(table, [start, 0], [length, -1]), [rows, 1]),
  );
  return tf.concat(parts, 0);
}
/** Rotates queries or keys `[rows, pos, head, d_head]` by their positions, which are the last ones of their part. */
export function rotateParts(layout: BatchLayout, parts: Parts, base: number): Parts {
  return zip(parts, layout.parts, (x, { start, length }) => {
    const [, count = 0, , dHead = 0] = x.shape;
    const positions = Array.from({ length: count }, (_, i) => start + length - count + i);
    return rotate(x, rotation(positions, dHead, base));
  });
}
/**
 * A dropout mask `[batch, pos, d]` as 0 and 1 at the positions of `x`, with the rank of `x`, size 1
 * in all but the first and last axes.
 */
export function maskRows({ batch }: BatchLayout, mask: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const [, length = 1, width = 1] = mask.shape;
  const chosen =
    x.shape[0] === batch && length > 1 ? tf.slice(mask, [0, length - 1, 0], [-1, 1, -1]) : mask;
  const shape = [-1, ...x.shape.slice(1, -1).map(() => 1), width];
  return tf.cast(tf.reshape(chosen, shape), 'float32');
}
