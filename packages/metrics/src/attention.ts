/** Attention patterns: their entropy in nats (Voita et al. 2019; the paper, section 4.3.4 labels it bits), and their mean. */
import { type HostArray, InputError } from '@grok/core';
import { average, entropy } from './sample.js';

/** Mean entropies of an attention pattern over rows. */
export interface AttentionEntropy {
  /** Mean over heads and query positions. */
  readonly mean: number;
  /** Per head, averaged over query positions. */
  readonly heads: readonly number[];
  /** `[head][query]`; a causal query at position q has at most log(q + 1), so the first has 0. */
  readonly positions: readonly (readonly number[])[];
}

/**
 * Entropies of attention patterns. @param pattern `[batch, head, query, key]`, rows sum to 1.
 * @throws InputError for another rank.
 */
export function attentionEntropy(pattern: HostArray): AttentionEntropy {
  const [batch = 0, heads = 0, queries = 0, keys = 0] = pattern.shape;
  if (pattern.shape.length !== 4 || pattern.data.length === 0)
    throw new InputError(
      `attention entropy: needs [batch, head, query, key], got [${pattern.shape}]`,
    );
  /** Mean over the batch of one head's entropies at one query position. */
  const meanEntropy = (head: number, query: number): number => {
    let sum = 0;
    for (let row = head * queries + query; row < batch * heads * queries; row += heads * queries)
      sum += entropy(pattern.data.subarray(row * keys, (row + 1) * keys)) / batch;
    return sum;
  };
  const positions = Array.from({ length: heads }, (_, head) =>
    Array.from({ length: queries }, (_, query) => meanEntropy(head, query)),
  );
  const perHead = positions.map(average);
  return { mean: average(perHead), heads: perHead, positions };
}

/** Mean over rows of attention patterns `[batch, head, query, key]`: per head `[query · key]`, row-major. */
export function meanPatterns({ data, shape }: HostArray): readonly (readonly number[])[] {
  const [rows = 0, heads = 0, queries = 0, keys = 0] = shape;
  const size = queries * keys;
  return Array.from({ length: heads }, (_, head) => {
    const sums = new Float64Array(size);
    for (let row = 0; row < rows; row++) {
      const start = (row * heads + head) * size;
      data.subarray(start, start + size).forEach((weight, cell) => {
        sums[cell] = (sums[cell] ?? 0) + weight;
      });
    }
    return Array.from(sums, (sum) => sum / rows);
  });
}
