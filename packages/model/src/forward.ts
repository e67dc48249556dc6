/** The state and steps of a forward pass. */
import type { Model, ParamReader, Site } from '@grok/core';
import type * as tf from '@grok/tfjs';
import type { BatchLayout, Parts } from './layout.js';
import type { Weights } from './ops.js';
import type { Config } from './options.js';

export type ApplyOptions = Parameters<Model['apply']>[2];

/** Delivers the value at a site, and returns the value that the rest of the pass uses. */
export interface HookPoint {
  /** One row per position, `[all, d]`, or a value without positions, `[batch, d]`. */
  (site: Site, x: tf.Tensor): tf.Tensor;
  /** One tensor per part, `[rows, pos, head, d_head]` or `[rows, head, query, key]`. */
  (site: Site, x: Parts): Parts;
}

/** Attention's scores and values. */
export interface AttentionInputs {
  /** `[batch, head, query, key]`, divided by √d_head. */
  readonly scores: Parts;
  /** `[batch, key, head, d_head]`. */
  readonly v: Parts;
}

/** The steps that have a faster equivalent. */
export interface Steps {
  /** The embedding of every position, `[batch, pos, d_model]`. */
  embed(this: Forward): tf.Tensor;
  /** Adds the learned position embeddings to `[batch, pos, d_model]`. */
  addPositions(this: Forward, x: tf.Tensor): tf.Tensor;
  /** RMSNorm or LayerNorm of `[batch, pos, d_model]`, by the name of its parameters. */
  normalize(this: Forward, name: string, x: tf.Tensor): tf.Tensor;
  /** A block's `W_V` and `W_O`. */
  attentionWeights(this: Forward, block: string): { readonly W_V: Weights; readonly W_O: Weights };
  /** A block's attention scores and values, from the residual stream `[batch, pos, d_model]`. */
  attend(this: Forward, block: string, x: tf.Tensor, W_V: Weights): AttentionInputs;
  /** Selects the positions whose queries a block computes, `[batch, pos, d_model]` → `[batch, query, d_model]`. */
  toQueries(this: Forward, block: string, x: tf.Tensor): tf.Tensor;
  /** SwiGLU, `[batch, pos, d_mlp]` twice → `[batch, pos, d_mlp]`. */
  gate(this: Forward, mlp: string, pre: tf.Tensor, straight: tf.Tensor): tf.Tensor;
  /** Applies the dropout mask of that name; the division by the keep probability is done in the adjacent weights. */
  dropout(this: Forward, name: string, x: tf.Tensor): tf.Tensor;
}

/** Everything that a forward pass reads. */
export interface Forward extends Readonly<Steps> {
  readonly cfg: Config;
  readonly layout: BatchLayout;
  /** Dropout masks by name; empty in evaluation. */
  readonly masks: Readonly<Record<string, tf.Tensor>>;
  readonly params: ParamReader;
  readonly hook: HookPoint;
  /** Whether the value at any of the sites is read or replaced. */
  readonly isUsed: (...sites: Site[]) => boolean;
}
