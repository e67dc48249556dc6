/**
 * Decides before a forward pass which shortcuts pay off for the batch, sites and taps, and
 * implements the textbook steps in their fast form. Every shortcut is exact algebra.
 */
import type { Site } from '@grok/core';
import * as tf from '@grok/tfjs';
import type { ApplyOptions, Forward, Steps } from './forward.js';
import { concatRows, isLast, lastRows, maskRows, splitRows, zip } from './layout.js';
import { layerNorm, multiplyWeights, rmsNorm, swiglu } from './ops.js';
import type { Config } from './options.js';
import { type Prefixes, worthSharing } from './prefixes.js';
import { attendFromTables } from './tables.js';
import { textbook } from './transformer.js';

/** Where a forward pass deviates from the textbook. */
export interface ForwardPlan {
  /** Whether the value at any of the sites is read or replaced. */
  readonly isUsed: (...sites: Site[]) => boolean;
  /** Token prefixes that are computed once for all rows that start with them. */
  readonly sharedPrefix: readonly Prefixes[] | undefined;
  /** Whether the first block's scores and values come from tables by token. */
  readonly tables: boolean;
  /** Whether only the last position is passed on after a site. */
  readonly narrowsAfter: (site: Site) => boolean;
  /** Whether, from a site on, only the last position is used, except for keys and values. */
  readonly isLastOnly: (site: Site) => boolean;
  /** Which of a block's two matrices stands for `W_V · W_O`, with the other left out. */
  readonly jointOV: (block: string) => 'W_V' | 'W_O' | undefined;
  /** MLPs whose dropout mask is applied inside SwiGLU. */
  readonly gateMasks: ReadonlySet<string>;
}

/** Decides on all shortcuts; `order` lists the sites in the order of computation. */
export function planForward(
  cfg: Config,
  inputs: tf.Tensor,
  order: readonly Site[],
  { sites, taps = {}, masks }: ApplyOptions,
): ForwardPlan {
  const isUsed = (...wanted: Site[]): boolean =>
    wanted.some((site) => sites.has(site) || Object.hasOwn(taps, site));
  const blocks = Array.from({ length: cfg.depth }, (_, l) => `blocks.${l}`);
  // Dropout and taps make equal rows differ; masked scores would differ in their last digits.
  const mayShare =
    masks === undefined &&
    Object.keys(taps).length === 0 &&
    !isUsed(...blocks.map((block) => `${block}.attn.hook_attn_scores`));
  const [batch = 0] = inputs.shape;
  const sharedPrefix = mayShare ? worthSharing(cfg.prefixes, batch) : undefined;
  const { length = 0, count = 0 } = sharedPrefix?.at(-1) ?? {};
  const rows = batch * (cfg.length - length) + count * length;
  const tables = tablesAreCheaper(cfg, rows, isUsed, taps);
  const lastOnlyFrom = findLastOnly(cfg, order, isUsed);
  const isLastOnly = (site: Site): boolean => order.indexOf(site) >= lastOnlyFrom;
  const narrowing = ['attn.hook_pattern', 'hook_resid_mid', 'hook_resid_post']
    .map((name) => order.indexOf(`blocks.${cfg.depth - 1}.${name}`))
    .filter((index) => index + 1 >= lastOnlyFrom)
    .map((index) => order[index]);
  return {
    ...{ isUsed, sharedPrefix, tables, isLastOnly },
    narrowsAfter: (site) => narrowing.includes(site),
    // The OV circuit (Elhage et al. 2021), applied where there are fewer rows.
    jointOV(block) {
      const isSeen = isUsed(...['v', 'z', 'result'].map((which) => `${block}.attn.hook_${which}`));
      if (!cfg.algebra.jointOV || cfg.heads > 1 || isSeen || rows <= cfg.dim) return undefined;
      const lookedUp = tables && block === 'blocks.0';
      return isLastOnly(`${block}.attn.hook_z`) && !lookedUp ? 'W_O' : 'W_V';
    },
    gateMasks: new Set(
      blocks
        .map((block) => `${block}.mlp`)
        .filter((mlp) => cfg.mlp === 'swiglu' && masks?.[mlp] !== undefined)
        .filter((mlp) => !isUsed(`${mlp}.hook_post`)),
    ),
  };
}

/** Whether tables need fewer products than the residual stream; queries, keys and values must not be read or replaced. */
function tablesAreCheaper(
  { algebra, places, positions, norm, heads, dim, vocabulary }: Config,
  rows: number,
  isUsed: ForwardPlan['isUsed'],
  taps: Readonly<Record<Site, unknown>>,
): boolean {
  if (!algebra.vocabularyTable || places === undefined) return false;
  // With a norm, the contributions of token and learned position cannot be separated.
  if (positions === 'learned' && norm !== 'none') return false;
  const inside = ['q', 'k', 'v', 'rot_q', 'rot_k'].map((which) => `attn.hook_${which}`);
  const before = ['ln1.hook_scale', 'ln1.hook_normalized'];
  if (isUsed(...[...before, ...inside].map((name) => `blocks.0.${name}`))) return false;
  const tapped = ['hook_embed', 'hook_pos_embed', 'blocks.0.hook_resid_pre'];
  if (tapped.some((site) => Object.hasOwn(taps, site))) return false;
  // Values are looked up too, and the gradient of a lookup is a product with a one-hot matrix.
  const count = places.tokens.length;
  const tables = heads * count ** 2 + 3 * vocabulary * dim + vocabulary * rows;
  return tables < 3 * dim * rows;
}

/** Index in `order` of the first site from which only the last position is used; keys and values keep all positions. */
function findLastOnly(cfg: Config, order: readonly Site[], isUsed: ForwardPlan['isUsed']): number {
  if (!cfg.algebra.lastPosition || cfg.pool !== 'cls') return order.length;
  const block = `blocks.${cfg.depth - 1}`;
  const aside = ['k', 'rot_k', 'v'].map((which) => `${block}.attn.hook_${which}`);
  const earliest = cfg.depth === 1 ? 0 : order.indexOf(`${block}.hook_resid_pre`);
  let first = order.indexOf('pooled');
  for (const site of order.slice(earliest, first).reverse()) {
    if (isUsed(site) && !aside.includes(site)) break;
    first--;
  }
  return first;
}

/** The textbook steps, in their fast form where the plan says so. */
export function planSteps({ isUsed, isLastOnly, tables, jointOV, gateMasks }: ForwardPlan): Steps {
  return {
    embed() {
      return tables && isLastOnly('hook_embed') ? embedLast(this) : textbook.embed.call(this);
    },
    addPositions(x) {
      return isUsed('hook_pos_embed') ? textbook.addPositions.call(this, x) : addPositions(this, x);
    },
    normalize(name, x) {
      return isUsed(`${name}.hook_scale`, `${name}.hook_normalized`)
        ? textbook.normalize.call(this, name, x)
        : normalize(this, name, x);
    },
    attentionWeights(block) {
      const { W_V, W_O } = textbook.attentionWeights.call(this, block);
      const joint = jointOV(block);
      if (joint === undefined) return { W_V, W_O };
      const both = multiplyWeights(W_V, W_O); // [d_model, d_model]
      return joint === 'W_V' ? { W_V: both, W_O: 'identity' } : { W_V: 'identity', W_O: both };
    },
    attend(block, x, W_V) {
      return tables && block === 'blocks.0'
        ? attendFromTables(this, W_V, isLastOnly('blocks.0.attn.hook_q'))
        : textbook.attend.call(this, block, x, W_V);
    },
    toQueries(block, x) {
      return isLastOnly(`${block}.attn.hook_q`) ? lastRows(this.layout, x) : x;
    },
    gate(mlp, pre, straight) {
      const mask = gateMasks.has(mlp) ? this.masks[mlp] : undefined;
      return swiglu(pre, straight, mask && maskRows(this.layout, mask, pre));
    },
    dropout(name, x) {
      return gateMasks.has(name) ? x : textbook.dropout.call(this, name, x);
    },
  };
}

/** The embedding of each row's last token; with scores and values from tables, no other is read. */
function embedLast({ cfg, layout, params }: Forward): tf.Tensor {
  const tokens = layout.parts.at(-1)?.tokens;
  if (tokens === undefined) throw new RangeError('embedLast: got a batch without tokens');
  const last = tf.reshape(tf.slice(tokens, [0, cfg.length - 1], [-1, 1]), [-1]); // [batch]
  return tf.gather(params('embed.W_E'), last);
}
/** Adds learned positions without repeating them for every row. */
function addPositions({ cfg, layout, params }: Forward, x: tf.Tensor): tf.Tensor {
  const learned = (start: number, length: number): tf.Tensor =>
    tf.slice(params('pos_embed.W_pos'), [start, 0], [length, -1]);
  if (isLast(layout, x)) return tf.add(x, learned(cfg.length - 1, 1)); // [batch, d_model]
  const parts = zip(splitRows(layout, x), layout.parts, (part, { start, length }) =>
    tf.add(part, learned(start, length)),
  ); // [rows, pos, d_model]
  return concatRows(parts, cfg.dim);
}
/** A norm as one operation with a custom gradient. */
function normalize({ cfg, params }: Forward, name: string, x: tf.Tensor): tf.Tensor {
  if (cfg.norm === 'none') return x;
  if (cfg.norm === 'rms') return rmsNorm(x, params(`${name}.w`), cfg.eps);
  return layerNorm(x, params(`${name}.w`), params(`${name}.b`), cfg.eps);
}
