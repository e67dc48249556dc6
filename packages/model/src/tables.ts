/**
 * The first block's attention from tables. A token's queries, keys and values in the first block
 * depend only on the token and its position, and so do the scores. They are computed once per
 * place, that is, per token and position that occur in the task, and rows look their scores up.
 */
import type { TaskInfo } from '@grok/core';
import * as tf from '@grok/tfjs';
import type { AttentionInputs, Forward } from './forward.js';
import { byHead } from './layout.js';
import { matmul, rotate, rotation, type Weights } from './ops.js';

/** All distinct (position, token) pairs of a task, numbered by position and first appearance. */
export interface Places {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  /**
   * The number of a place at index `position · vocabulary + token`; for a place that does not
   * occur, a number outside every table of scores.
   */
  readonly numbers: Int32Array;
}

/** The places of a task of tokens: those of its rows or, if the rows are not known, all possible ones. */
export function findPlaces({ inputs, vocabulary }: TaskInfo, heads: number): Places | undefined {
  const { data, dtype, shape } = inputs;
  if (dtype !== 'int32') return undefined;
  const [, length = 0] = shape;
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

/** The first block's scores and values, by part; with `onlyLast`, only those for the last position's queries. */
export function attendFromTables(f: Forward, value: Weights, onlyLast: boolean): AttentionInputs {
  const { cfg, layout } = f;
  const { places } = cfg;
  if (places === undefined)
    throw new RangeError('attendFromTables: got a task whose tokens are not known');
  const h = f.normalize('blocks.0.ln1', f.params('embed.W_E')); // [d_vocab, d_model]
  const scores = tabulateScores(f, places, h);
  const rows = matmul(h, value); // [d_vocab, d_model]
  const learned = projectPositions(f, value);
  const parts = layout.parts
    .slice(onlyLast ? -1 : 0)
    .flatMap(({ start, tokens }) => (tokens ? [{ start, tokens }] : []));
  return {
    scores: parts.map(({ start, tokens }) => {
      const [batch, keys] = tokens.shape;
      const firstQuery = onlyLast ? keys - 1 : start;
      const numbers = numberPlaces(cfg.vocabulary, places, tokens);
      const at = indexScores(numbers, firstQuery, cfg.heads, places.tokens.length);
      return tf.reshape(tf.gather(scores, at), [batch, cfg.heads, keys - firstQuery, keys]);
    }),
    v: parts.map(({ tokens }) => {
      const [batch, keys] = tokens.shape;
      const chosen = tf.gather(rows, tf.reshape(tokens, [-1]));
      const values = tf.reshape(chosen, [batch, keys, cfg.dim]);
      const whole = learned ? tf.add(values, tf.slice(learned, [0, 0], [keys, -1])) : values;
      return tf.reshape(whole, [batch, keys, cfg.heads, cfg.dHead]); // [rows, key, head, d_head]
    }),
  };
}

/** Scores between all places, flattened from `[head, place, place]`. */
function tabulateScores(f: Forward, places: Places, h: tf.Tensor): tf.Tensor1D {
  const { cfg, params } = f;
  const by = rotation(places.positions, cfg.dHead, cfg.ropeBase);
  const project = (weights: tf.Tensor): tf.Tensor => {
    const chosen = tf.gather(matmul(h, weights), tf.tensor1d(places.tokens, 'int32'));
    const learned = projectPositions(f, weights);
    const whole = learned
      ? tf.add(chosen, tf.gather(learned, tf.tensor1d(places.positions, 'int32')))
      : chosen;
    const heads = tf.reshape(whole, [1, places.tokens.length, cfg.heads, cfg.dHead]);
    return byHead(cfg.positions === 'rope' ? rotate(heads, by) : heads); // [1, head, place, d_head]
  };
  const queries = project(tf.div(params('blocks.0.attn.W_Q'), Math.sqrt(cfg.dHead)));
  const keys = project(params('blocks.0.attn.W_K'));
  return tf.reshape(tf.matMul(queries, keys, false, true), [-1]);
}

/** The learned positions multiplied by weights, `[pos, d_model]`. */
function projectPositions({ cfg, params }: Forward, weights: Weights): tf.Tensor | undefined {
  return cfg.positions === 'learned' ? matmul(params('pos_embed.W_pos'), weights) : undefined;
}

/** The place numbers of tokens `[rows, key]`, in the same shape. */
function numberPlaces(vocabulary: number, places: Places, tokens: tf.Tensor2D): tf.Tensor {
  const [, length] = tokens.shape;
  const first = Int32Array.from({ length }, (_, position) => position * vocabulary);
  const keys = tf.add(tokens, tf.tensor2d(first, [1, length], 'int32'));
  return tf.gather<tf.Tensor>(tf.tensor1d(places.numbers, 'int32'), keys);
}

/** Indices of the scores of some rows in a flat `[head, place, place]`, `[rows · head · query · key]`. */
function indexScores(
  numbers: tf.Tensor,
  firstQuery: number,
  heads: number,
  count: number,
): tf.Tensor1D {
  const [rows = 0, keys = 0] = numbers.shape;
  const queries = tf.reshape(tf.slice(numbers, [0, firstQuery], [-1, -1]), [rows, 1, -1, 1]);
  const pairs = tf.add(
    tf.mul(queries, tf.scalar(count, 'int32')),
    tf.reshape(numbers, [rows, 1, 1, keys]),
  ); // [rows, 1, query, key]
  const first = Int32Array.from({ length: heads }, (_, head) => head * count ** 2);
  const all = heads === 1 ? pairs : tf.add(pairs, tf.tensor4d(first, [1, heads, 1, 1], 'int32'));
  return tf.reshape(all, [-1]);
}
