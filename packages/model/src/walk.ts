/**
 * How values travel through the blocks: as matrices of one row a position, part after part, cut into
 * parts where positions matter, and delivered to whoever asked for their site.
 */
import type { Model, ParamReader, Site } from '@grok/core';
import * as tf from '@grok/tfjs';
import type { Config } from './options.js';

export type How = Parameters<Model['apply']>[2];
export type Values = Record<Site, tf.Tensor>;

/** Consecutive positions of some rows: of every row of the batch, or of every distinct prefix. */
export interface Part {
  readonly rows: number;
  /** Positions are `start … start + length − 1`. */
  readonly start: number;
  readonly length: number;
  /** Tokens that its queries see, `[rows, key]`; none where inputs are features. */
  readonly tokens: tf.Tensor2D | undefined;
}
/** One walk through the blocks. */
export interface Walk {
  readonly c: Config;
  readonly w: ParamReader;
  /** All positions of the batch; or those of the prefixes, and behind them the batch's other positions. */
  readonly parts: readonly Part[];
  /** With two parts: the number of each row's prefix, `[batch]`. */
  readonly prefix: tf.Tensor1D | undefined;
  /** Tokens `[all]`, or features `[all, features]`: one row a position, part after part. */
  readonly inputs: tf.Tensor;
  readonly masks: How['masks'];
  readonly taps: NonNullable<How['taps']>;
  /** Sites asked for, and those delivered so far. */
  readonly sites: ReadonlySet<Site>;
  readonly found: Values;
  /** Whether what is read out at the end is asked for. */
  readonly reads: boolean;
}
/** Part by part, one row a position → `[rows, pos, …shape]`. */
export function cut(p: Walk, x: tf.Tensor, ...shape: number[]): tf.Tensor[] {
  const sizes = p.parts.map(({ rows, length }) => rows * length);
  const tail = shape.length === 0 ? x.shape.slice(1) : shape;
  const pieces = sizes.length === 1 ? [x] : tf.split(x, sizes, 0);
  return pieces.map((piece, i) =>
    tf.reshape(piece, [p.parts[i]!.rows, p.parts[i]!.length, ...tail]),
  );
}
/** `[rows, pos, …]` part after part → `[all, width]`. */
export function joined(parts: readonly tf.Tensor[], width: number): tf.Tensor {
  const flat = parts.map((part) => tf.reshape(part, [-1, width]));
  return flat.length === 1 ? flat[0]! : tf.concat(flat, 0);
}
/** Values of the prefixes, handed to the rows that begin with them: `[prefixes, …]` → `[batch, …]`. */
function ofRows(p: Walk, x: tf.Tensor): tf.Tensor {
  return tf.gather(x, p.prefix!);
}
/** Puts before the positions of each row those of its prefix: what its queries may look at. */
export function withPrefix(p: Walk, parts: readonly tf.Tensor[]): readonly tf.Tensor[] {
  const [first, rest] = parts as [tf.Tensor, tf.Tensor | undefined];
  return rest === undefined ? parts : [first, tf.concat([ofRows(p, first), rest], 1)];
}

/** Whether somebody reads a site, or puts another value there. */
export function isLookedAt({ sites, taps }: Walk, site: Site): boolean {
  return sites.has(site) || site in taps;
}
/** Delivers and taps a value of the stream, one row a position, as `[batch, pos, …]`. */
export function at(p: Walk, site: Site, value: tf.Tensor): tf.Tensor {
  if (!isLookedAt(p, site)) return value;
  const parts = atParts(p, site, cut(p, value));
  return p.taps[site] === undefined ? value : tf.reshape(parts[0]!, value.shape);
}
/** Delivers and taps a value given by parts, `[rows, pos, …]` or `[rows, head, query, key]`. */
export function atParts(p: Walk, site: Site, parts: tf.Tensor[]): tf.Tensor[] {
  const tap = p.taps[site];
  const tapped = tap === undefined ? parts : parts.map(tap);
  if (!p.sites.has(site)) return tapped;
  let [first, rest] = tapped as [tf.Tensor, tf.Tensor | undefined];
  if (rest !== undefined) {
    const square = site.endsWith('hook_pattern');
    const beyond = rest.shape.at(-1)! - first.shape.at(-1)!;
    // A query of a prefix gives nothing to keys beyond it.
    if (square) first = tf.concat([first, tf.zeros([...first.shape.slice(0, 3), beyond])], 3);
    first = tf.concat([ofRows(p, first), rest], square ? 2 : 1);
  }
  p.found[site] = first;
  return tapped;
}

/** What attention reads, by part; queries are of all parts or of the last one alone. */
export interface Looks {
  /** `[rows, head, query, key]`, over √d_head. */
  readonly scores: tf.Tensor[];
  /** `[rows, key, head, d_head]`. */
  readonly values: readonly tf.Tensor[];
}
/** `[rows, pos, head, d_head]` → `[rows, head, pos, d_head]`; with one head only a reshape. */
export function byHead(x: tf.Tensor): tf.Tensor {
  const [rows, pos, heads, dHead] = x.shape as [number, number, number, number];
  if (heads === 1) return tf.reshape(x, [rows, 1, pos, dHead]);
  return tf.transpose(x, [0, 2, 1, 3]);
}
