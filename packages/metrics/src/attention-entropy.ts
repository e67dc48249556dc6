/** Entropy of attention patterns in nats (Voita et al. 2019; the paper, section 4.3.4 labels it bits). */
import { type HostArray, InputError } from '@grok/core';
import { entropy } from './sample.js';

/** Mean entropies of a pattern over its rows. */
export interface AttentionEntropy {
  /** Mean over heads and query positions. */
  readonly mean: number;
  /** By head, mean over query positions. */
  readonly heads: readonly number[];
  /** `[head][query]`; a causal query at position q has at most log(q + 1), so the first has 0. */
  readonly positions: readonly (readonly number[])[];
}

/** @param pattern `[batch, head, query, key]`, rows summing to 1. @throws InputError for another rank. */
export function attentionEntropy(pattern: HostArray): AttentionEntropy {
  const [batch = 0, heads = 0, queries = 0, keys = 0] = pattern.shape;
  if (pattern.shape.length !== 4 || pattern.data.length === 0)
    throw new InputError(
      `attention entropy: needs [batch, head, query, key], got [${pattern.shape}]`,
    );
  const sums = Array.from({ length: heads }, () => new Array<number>(queries).fill(0));
  for (let row = 0; row < batch * heads * queries; row++) {
    const [head, query] = [Math.floor(row / queries) % heads, row % queries];
    sums[head]![query]! += entropy(pattern.data.subarray(row * keys, (row + 1) * keys)) / batch;
  }
  const perHead = sums.map((values) => values.reduce((a, b) => a + b, 0) / queries);
  return { mean: perHead.reduce((a, b) => a + b, 0) / heads, heads: perHead, positions: sums };
}
