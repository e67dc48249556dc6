/**
 * The first block's attention from tables. What a token's first queries, keys and values are depends on
 * the token and its position alone, and so do their products: they are computed once a place, that is a
 * token at a position where the task has it, and rows look their scores up.
 */
import type { TaskInfo } from '@grok/core';
import * as tf from '@grok/tfjs';
import { linear, rotate, rotation } from './ops.js';
import { byHead, isLookedAt, type Looks, type Walk } from './walk.js';

/** All distinct (position, token) of a task, numbered by position and first appearance. */
export interface Places {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  /** Number of a place by `position · vocabulary + token`; where there is none, one that leads outside every table of scores. */
  readonly numbers: Int32Array;
}

/** The places of a task of tokens: those of its rows, or all that there could be where those are not known. */
export function placesOf({ inputs, vocabulary }: TaskInfo, heads: number): Places | undefined {
  const { data, dtype, shape } = inputs;
  if (dtype !== 'int32') return undefined;
  const length = shape[1]!;
  const all = Array.from({ length: length * vocabulary }, (_, key) => key);
  const met = new Set(
    data === undefined ? all : Array.from(data, (token, i) => (i % length) * vocabulary + token),
  );
  const keys = [...met].sort((a, b) => a - b);
  const numbers = new Int32Array(length * vocabulary).fill(heads * keys.length ** 2);
  keys.forEach((key, number) => {
    numbers[key] = number;
  });
  return {
    tokens: Int32Array.from(keys, (key) => key % vocabulary),
    positions: Int32Array.from(keys, (key) => Math.floor(key / vocabulary)),
    numbers,
  };
}

/** Whether tables take fewer products than the stream: nobody looks at queries, keys and values, or puts others there. */
export function tablesAreCheaper(p: Walk): boolean {
  const { c, inputs, taps } = p;
  if (!c.algebra.vocabularyTable || c.places === undefined) return false;
  // A norm would mix what a token and what a learned position give.
  if (c.positions === 'learned' && c.norm !== 'none') return false;
  const inside = ['q', 'k', 'v', 'rot_q', 'rot_k'].map((which) => `blocks.0.attn.hook_${which}`);
  if (inside.some((site) => isLookedAt(p, site))) return false;
  if ('hook_embed' in taps || 'blocks.0.hook_resid_pre' in taps) return false;
  // Values are looked up too, and a look-up's gradient is a product with a one-hot matrix.
  const [rows, places] = [inputs.shape[0]!, c.places.tokens.length];
  const tables = c.heads * places ** 2 + 3 * c.vocabulary * c.dim + c.vocabulary * rows;
  return tables < 3 * c.dim * rows;
}

/**
 * Scores and values of each part, from the normalised embedding `h` `[d_vocab, d_model]`; `ov` stands
 * for `W_V`. With `onlyLast`, those of the last position's queries.
 */
export function fromTables(
  p: Walk,
  h: tf.Tensor,
  ov: tf.Tensor | undefined,
  onlyLast: boolean,
): Looks {
  const { c, w } = p;
  const places = c.places!;
  const count = places.tokens.length;
  const by = rotation(places.positions, c.dHead, c.ropeBase);
  // What learned positions give through weights, `[pos, d_model]`.
  const share = (weights: tf.Tensor): tf.Tensor | undefined =>
    c.positions === 'learned' ? linear(w('pos_embed.W_pos'), weights) : undefined;
  const turned = (weights: tf.Tensor): tf.Tensor => {
    const chosen = tf.gather(linear(h, weights), tf.tensor1d(places.tokens, 'int32'));
    const learned = share(weights);
    const whole =
      learned === undefined
        ? chosen
        : tf.add(chosen, tf.gather(learned, tf.tensor1d(places.positions, 'int32')));
    const heads = tf.reshape(whole, [1, count, c.heads, c.dHead]);
    return c.positions === 'rope' ? rotate(heads, by) : heads;
  };
  const queries = turned(tf.div(w('blocks.0.attn.W_Q'), Math.sqrt(c.dHead)));
  const keys = turned(w('blocks.0.attn.W_K')); // [1, place, head, d_head]
  const table = tf.matMul(byHead(queries), byHead(keys), false, true); // [1, head, place, place]
  const scores = tf.reshape(table, [-1]) as tf.Tensor1D;
  const weights = ov ?? w('blocks.0.attn.W_V');
  const rows = linear(h, weights); // [d_vocab, d_model]
  const learned = share(weights);
  const parts = onlyLast ? p.parts.slice(-1) : p.parts;
  return {
    scores: parts.map(({ start, tokens }) => {
      const [batch, keys] = tokens!.shape;
      const firstQuery = onlyLast ? keys - 1 : start;
      const at = scoresAt(numbersOf(p, tokens!), firstQuery, c.heads, count);
      return tf.reshape(tf.gather(scores, at), [batch, c.heads, keys - firstQuery, keys]);
    }),
    values: parts.map(({ tokens }) => {
      const [batch, keys] = tokens!.shape;
      const chosen = tf.gather(rows, tf.reshape(tokens!, [-1]) as tf.Tensor1D);
      const values = tf.reshape(chosen, [batch, keys, c.dim]);
      const whole =
        learned === undefined ? values : tf.add(values, tf.slice(learned, [0, 0], [keys, -1]));
      return tf.reshape(whole, [batch, keys, c.heads, c.dHead]); // [rows, key, head, d_head]
    }),
  };
}

/** The places of tokens `[rows, key]`, in the same shape. */
function numbersOf({ c }: Walk, tokens: tf.Tensor2D): tf.Tensor {
  const length = tokens.shape[1];
  const first = Int32Array.from({ length }, (_, position) => position * c.vocabulary);
  const keys = tf.add(tokens, tf.tensor2d(first, [1, length], 'int32'));
  return tf.gather(
    tf.tensor1d(c.places!.numbers, 'int32'),
    keys as unknown as tf.Tensor1D,
  ) as tf.Tensor;
}

/** Where in a flat `[head, place, place]` the scores of some rows are, `[rows · head · query · key]`. */
function scoresAt(
  numbers: tf.Tensor,
  firstQuery: number,
  heads: number,
  count: number,
): tf.Tensor1D {
  const [rows, keys] = numbers.shape as [number, number];
  const queries = tf.reshape(tf.slice(numbers, [0, firstQuery], [-1, -1]), [rows, 1, -1, 1]);
  const pairs = tf.add(
    tf.mul(queries, tf.scalar(count, 'int32')),
    tf.reshape(numbers, [rows, 1, 1, keys]),
  ); // [rows, 1, query, key]
  const first = Int32Array.from({ length: heads }, (_, head) => head * count ** 2);
  const all = heads === 1 ? pairs : tf.add(pairs, tf.tensor4d(first, [1, heads, 1, 1], 'int32'));
  return tf.reshape(all, [-1]);
}
