/**
 * The complete model: a pre-norm transformer as in the paper's reference implementation (section
 * 3.1; Vaswani et al. 2017, with LLaMA's RMSNorm, SwiGLU and rotary positions), written in the
 * style of nanoGPT. Every value that can be read or replaced goes through `hook`, under its
 * TransformerLens name.
 */
import * as tf from '@grok/tfjs';
import type { Forward, Steps } from './forward.js';
import {
  addResidual,
  byHead,
  concatRows,
  lastRows,
  maskRows,
  type Parts,
  positionRows,
  rotateParts,
  splitRows,
  toKeys,
  wholeRows,
  zip,
} from './layout.js';
import * as ops from './ops.js';
import { matmul } from './ops.js';

/** The score of keys after their query; its softmax is exactly 0. */
const MASKED = -1e9;

/** From inputs to logits. */
export function forward(f: Forward): void {
  const { cfg, layout, hook, params } = f;
  let x = hook('hook_embed', f.embed()); // [batch, pos, d_model]
  if (cfg.positions === 'learned') x = f.addPositions(x);
  for (let l = 0; l < cfg.depth; l++) {
    x = hook(`blocks.${l}.hook_resid_pre`, x);
    x = hook(`blocks.${l}.hook_resid_mid`, addResidual(layout, x, attention(f, `blocks.${l}`, x)));
    x = hook(`blocks.${l}.hook_resid_post`, addResidual(layout, x, mlp(f, `blocks.${l}`, x)));
  }
  x = hook('ln_final.hook_out', f.normalize('ln_final', x));
  const unembed = params('unembed.W_U');
  if (f.isUsed('unembed.hook_logits')) hook('unembed.hook_logits', matmul(x, unembed)); // [batch, pos, d_vocab]
  const read = cfg.pool === 'mean' ? tf.mean(wholeRows(layout, x), 1) : lastRows(layout, x);
  const pooled = hook('pooled', read); // [batch, d_model]
  hook('logits', matmul(pooled, unembed)); // [batch, d_vocab]
}

/** The output of a block's attention, which is added to the residual stream. */
function attention(f: Forward, block: string, x: tf.Tensor): tf.Tensor {
  const { cfg, hook } = f;
  const at = (name: string): string => `${block}.attn.${name}`;
  const { W_V, W_O } = f.attentionWeights(block);
  const { scores, v } = f.attend(block, x, W_V);
  const masked = cfg.causal ? scores.map(applyCausalMask) : scores; // [batch, head, query, key]
  const shares = hook(at('hook_attn_scores'), masked).map(ops.softmax);
  const pattern = hook(at('hook_pattern'), shares); // [batch, head, query, key]
  const z = hook(at('hook_z'), concatRows(zip(pattern, v, mixValues), cfg.dim)); // [batch, query, head · d_head]
  if (!f.isUsed(at('hook_result')))
    return hook(`${block}.hook_attn_out`, f.dropout(`${block}.attn`, matmul(z, W_O)));
  const result = f.dropout(`${block}.attn`, ops.matmulByHead(z, W_O, cfg.heads)); // [batch, query, head, d_model]
  return hook(`${block}.hook_attn_out`, tf.sum(hook(at('hook_result'), result), 1));
}

/** The output of a block's MLP, which is added to the residual stream. */
function mlp(f: Forward, block: string, x: tf.Tensor): tf.Tensor {
  const { cfg, hook, params } = f;
  const at = (name: string): string => `${block}.mlp.${name}`;
  const h = f.normalize(`${block}.ln2`, x); // [batch, pos, d_model]
  const isGated = cfg.mlp === 'swiglu';
  const pre = hook(at('hook_pre'), matmul(h, params(at(isGated ? 'W_gate' : 'W_in')))); // [batch, pos, d_mlp]
  const activate = cfg.mlp === 'relu' ? tf.relu : ops.gelu;
  const post = isGated
    ? f.gate(`${block}.mlp`, pre, hook(at('hook_pre_linear'), matmul(h, params(at('W_in')))))
    : activate(pre);
  const kept = f.dropout(`${block}.mlp`, hook(at('hook_post'), post)); // [batch, pos, d_mlp]
  const W_out = divideByKeep(f, `${block}.mlp`, params(at('W_out')));
  return hook(`${block}.hook_mlp_out`, matmul(kept, W_out)); // [batch, pos, d_model]
}

/** The steps that `shortcuts.ts` may replace with faster equivalents. */
export const textbook: Steps = {
  embed() {
    const { cfg, layout, params } = this;
    const table = params('embed.W_E');
    if (cfg.features !== undefined) return matmul(layout.inputs, table);
    return tf.gather(table, layout.inputs);
  },
  addPositions(x) {
    const learned = positionRows(this.layout, this.params('pos_embed.W_pos')); // [batch, pos, d_model]
    return tf.add(x, this.hook('hook_pos_embed', learned));
  },
  normalize(name, x) {
    const { cfg, hook, params } = this;
    if (cfg.norm === 'none') return x;
    const centered = cfg.norm === 'layer' ? tf.sub(x, tf.mean(x, -1, true)) : x;
    const variance = tf.mean(tf.square(centered), -1, true);
    const scale = hook(`${name}.hook_scale`, tf.sqrt(tf.add(variance, cfg.eps))); // [batch, pos, 1]
    const unit = hook(`${name}.hook_normalized`, tf.div(centered, scale)); // [batch, pos, d_model]
    const scaled = tf.mul(unit, params(`${name}.w`));
    return cfg.norm === 'layer' ? tf.add(scaled, params(`${name}.b`)) : scaled;
  },
  attentionWeights(block) {
    const W_O = divideByKeep(this, `${block}.attn`, this.params(`${block}.attn.W_O`));
    return { W_V: this.params(`${block}.attn.W_V`), W_O };
  },
  attend(block, x, W_V) {
    const { cfg, layout, hook, params } = this;
    const at = (name: string): string => `${block}.attn.${name}`;
    const heads = (x: tf.Tensor): Parts => splitRows(layout, x, [cfg.heads, cfg.dHead]);
    const rotate = (site: string, x: Parts): Parts =>
      cfg.positions === 'rope' ? hook(at(site), rotateParts(layout, x, cfg.ropeBase)) : x;
    const h = this.normalize(`${block}.ln1`, x); // [batch, pos, d_model]
    const k = hook(at('hook_k'), heads(matmul(h, params(at('W_K'))))); // [batch, pos, head, d_head]
    const v = hook(at('hook_v'), heads(matmul(h, W_V))); // [batch, pos, head, d_head]
    const keys = toKeys(layout, rotate('hook_rot_k', k)); // [batch, key, head, d_head]
    const q = hook(at('hook_q'), heads(matmul(this.toQueries(block, h), params(at('W_Q')))));
    const queries = rotate('hook_rot_q', q); // [batch, query, head, d_head]
    return { scores: zip(queries, keys, scaledDotProducts), v: toKeys(layout, v) };
  },
  toQueries: (_block, x) => x,
  gate: (_mlp, pre, straight) => ops.swiglu(pre, straight),
  dropout(name, x) {
    const mask = this.masks[name];
    return mask === undefined ? x : tf.mul(x, maskRows(this.layout, mask, x));
  },
};

/** `q·k/√d_head`: `[batch, query, head, d_head]` and `[batch, key, head, d_head]` → `[batch, head, query, key]`. */
function scaledDotProducts(q: tf.Tensor, k: tf.Tensor): tf.Tensor {
  const [, , , dHead = 1] = q.shape;
  return tf.mul(tf.matMul(byHead(q), byHead(k), false, true), 1 / Math.sqrt(dHead));
}
/** Masks keys after their query; the last query is aligned with the last key. */
function applyCausalMask(scores: tf.Tensor): tf.Tensor {
  const [, , queries = 1, keys = 1] = scores.shape;
  if (queries === 1) return scores;
  const entries = Float32Array.from({ length: queries * keys }, (_, i) =>
    (i % keys) - keys > Math.floor(i / keys) - queries ? MASKED : 0,
  );
  return tf.add(scores, tf.tensor2d(entries, [queries, keys]));
}
/**
 * The mean of the values weighted by the pattern: `[batch, head, query, key]` and `[batch, key,
 * head, d_head]` → `[batch, query, head, d_head]`.
 */
function mixValues(pattern: tf.Tensor, v: tf.Tensor): tf.Tensor {
  const sum = tf.matMul(pattern, byHead(v)); // [batch, head, query, d_head]
  return pattern.shape[1] === 1 ? sum : tf.transpose(sum, [0, 2, 1, 3]);
}

/** The division of inverted dropout, applied to the adjacent weights because they are smaller than the masked values. */
function divideByKeep({ cfg, masks }: Forward, mask: string, weights: tf.Tensor): tf.Tensor {
  return masks[mask] === undefined ? weights : tf.div(weights, 1 - cfg.dropout);
}
