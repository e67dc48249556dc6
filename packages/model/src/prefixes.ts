/**
 * Distinct prefixes of a task's tokens. In a causal model, a position depends only on the tokens up
 * to it, so rows with the same prefix share its positions: of the 9,312 rows `[a, OP, b, EQ]` of
 * division modulo 97, positions 0 and 1 have 97 different values.
 */
import type { TaskInfo } from '@grok/core';
import * as tf from '@grok/tfjs';

/** The number of a prefix that no row has: so far outside every table that gathering it fails. */
const NOWHERE = 3_000_001;

/** All distinct prefixes of one length, numbered by first appearance. */
export interface Prefixes {
  readonly length: number;
  readonly count: number;
  /** Row-major `[count, length]`. */
  readonly tokens: Int32Array;
  /** The number of a prefix at index `number of the prefix one shorter · vocabulary + last token`; `count` if there is none. */
  readonly numbers: Int32Array;
}

/** Prefixes by length, from 1 up to the length where they are no longer fewer than half the rows; empty without data. */
export function distinctPrefixes({ inputs, vocabulary }: TaskInfo): readonly Prefixes[] {
  const { data, dtype, shape } = inputs;
  if (data === undefined || dtype !== 'int32') return [];
  const [rows = 0, length = 0] = shape;
  const found: Prefixes[] = [];
  let prefixNumber = new Int32Array(rows);
  for (let i = 0; i < length - 1; i++) {
    const shorter = found.at(-1);
    const numbers = new Map<number, number>();
    const firstRows: number[] = [];
    prefixNumber = prefixNumber.map((number, row) => {
      const key = number * vocabulary + (data[row * length + i] ?? 0);
      const known = numbers.get(key) ?? firstRows.push(row) - 1;
      numbers.set(key, known);
      return known;
    });
    const count = firstRows.length;
    if (2 * count > rows) break;
    const tokens = firstRows.flatMap((row) => [
      ...data.subarray(row * length, row * length + i + 1),
    ]);
    found.push({
      length: i + 1,
      count,
      tokens: Int32Array.from(tokens),
      numbers: Int32Array.from(
        { length: ((shorter?.count ?? 0) + 1) * vocabulary },
        (_, key) => numbers.get(key) ?? count,
      ),
    });
  }
  return found;
}

/**
 * The longest prefixes worth computing separately for a batch: at most half as many as its rows.
 * Undefined when there are none.
 */
export function worthSharing(
  prefixes: readonly Prefixes[],
  batch: number,
): readonly Prefixes[] | undefined {
  const worth = prefixes.filter(({ count }) => 2 * count <= batch);
  return worth.length === 0 ? undefined : worth;
}

/**
 * Each row's prefix number at the longest given length: tokens int32 `[batch, pos]` → `[batch]`.
 * A prefix that no row of the task has gets a number outside every table.
 */
export function prefixNumbers(
  tokens: tf.Tensor,
  prefixes: readonly Prefixes[],
  vocabulary: number,
): tf.Tensor | undefined {
  const longest = prefixes.length - 1;
  let number: tf.Tensor | undefined;
  prefixes.forEach(({ numbers, count }, i) => {
    const table = i === longest ? numbers.map((n) => (n === count ? NOWHERE : n)) : numbers;
    const token = tf.reshape(tf.slice(tokens, [0, i], [-1, 1]), [-1]); // [batch]
    const key =
      number === undefined ? token : tf.add(tf.mul(number, tf.scalar(vocabulary, 'int32')), token);
    number = tf.gather(tf.tensor1d(table, 'int32'), key);
  });
  return number;
}
