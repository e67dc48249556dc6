/**
 * The whole model: a pre-norm transformer as in the reference implementation of the paper (section 3.1;
 * Vaswani et al. 2017, LLaMA's RMSNorm, SwiGLU and rotary positions), told as in nanoGPT. Values travel as
 * matrices `[batch · pos, d]`, one row a position, so that every linear map is one matrix product.
 */
import { InputError, type Model, type ParamReader, type Site, unknownName } from '@grok/core';
import * as tf from '@grok/tfjs';
import { initialise } from './init.js';
import { gelu, layerNorm, rmsNorm, rotate, rotation, softmax, swiglu } from './ops.js';
import type { Config } from './options.js';
import { sitesOf } from './sites.js';

type How = Parameters<Model['apply']>[2];
/** Added to the scores of positions that may not be seen; its softmax is exactly 0. */
const UNSEEN = -1e9;

/** A model of the given sizes; see `sites()` for what can be asked of it. */
export function transformer(c: Config): Model {
  const infos = sitesOf(c);
  const known = infos.map(({ name }) => name);
  const maskShapes = (batch: number): Record<string, readonly number[]> =>
    c.dropout === 0
      ? {}
      : Object.fromEntries(
          Array.from({ length: c.depth }, (_, l): [string, readonly number[]][] => [
            [`blocks.${l}.attn`, [batch, c.length, c.dim]],
            [`blocks.${l}.mlp`, [batch, c.length, c.dMlp]],
          ]).flat(),
        );
  return {
    shape: { layers: c.depth, width: c.dim, heads: c.heads },
    keepProbability: 1 - c.dropout,
    init: (rng) => initialise(c, rng),
    sites: () => infos,
    keeps: maskShapes,
    apply(params, inputs, how) {
      for (const site of [...how.sites, ...Object.keys(how.taps ?? {})])
        if (!known.includes(site)) throw unknownName('site', site, known);
      const { keep } = how;
      for (const mask of keep === undefined ? [] : Object.keys(maskShapes(1)))
        if (keep?.[mask] === undefined)
          throw new InputError(
            `model "transformer": dropout needs the mask "${mask}", got ${Object.keys(keep ?? {}).join(', ') || 'none'}; give all or none`,
          );
      return forward(c, params, inputs, how);
    },
  };
}

function forward(c: Config, w: ParamReader, inputs: tf.Tensor, how: How): Record<Site, tf.Tensor> {
  const batch = inputs.shape[0]!;
  const found: Record<Site, tf.Tensor> = {};
  /** Delivers and taps a value as `[batch, …]`, and hands it on in its own shape. */
  const at = (site: Site, value: tf.Tensor, ...shape: number[]): tf.Tensor => {
    const tap = how.taps?.[site];
    if (tap === undefined && !how.sites.has(site)) return value;
    let whole: tf.Tensor = tf.reshape(value, [batch, ...shape]);
    if (tap !== undefined) whole = tap(whole);
    if (how.sites.has(site)) found[site] = whole;
    return tf.reshape(whole, value.shape);
  };
  const done = (): boolean => Object.keys(found).length === how.sites.size;
  const resid = [c.length, c.dim] as const;

  let x = at('hook_embed', embed(c, w, inputs), ...resid); // [batch · pos, d_model]
  if (c.positions === 'learned')
    x = tf.reshape(tf.add(tf.reshape(x, [batch, ...resid]), w('pos_embed.W_pos')), x.shape);

  for (let l = 0; l < c.depth && !done(); l++) {
    const name = (site: string): string => `blocks.${l}.${site}`;
    x = at(name('hook_resid_pre'), x, ...resid);
    x = tf.add(
      x,
      at(
        name('hook_attn_out'),
        attention(c, w, norm(c, w, name('ln1'), x), name, at, how),
        ...resid,
      ),
    );
    x = at(name('hook_resid_mid'), x, ...resid);
    if (done()) break;
    x = tf.add(
      x,
      at(name('hook_mlp_out'), mlp(c, w, norm(c, w, name('ln2'), x), name, at, how), ...resid),
    );
    x = at(name('hook_resid_post'), x, ...resid);
  }
  if (done()) return found;

  x = at('ln_final.hook_out', norm(c, w, 'ln_final', x), ...resid);
  const whole = tf.reshape(x, [batch, c.length, c.dim]);
  const read =
    c.pool === 'mean'
      ? tf.mean(whole, 1)
      : tf.reshape(tf.slice(whole, [0, c.length - 1, 0], [-1, 1, -1]), [batch, c.dim]);
  const pooled = at('pooled', read, c.dim); // [batch, d_model]
  at('logits', linear(pooled, w('unembed.W_U')), c.vocabulary); // [batch, d_vocab]
  return found;
}

type Name = (site: string) => string;
type At = (site: Site, value: tf.Tensor, ...shape: number[]) => tf.Tensor;

function attention(
  c: Config,
  w: ParamReader,
  h: tf.Tensor,
  name: Name,
  at: At,
  how: How,
): tf.Tensor {
  const split = [c.length, c.heads, c.dHead] as const;
  const head = (which: string): tf.Tensor => {
    const value = linear(h, w(name(`attn.W_${which.toUpperCase()}`))); // [batch · pos, d_model]
    return at(name(`attn.hook_${which}`), tf.reshape(value, [-1, ...split]), ...split);
  };
  let [q, k] = [head('q'), head('k')]; // [batch, pos, head, d_head]
  const v = head('v');
  if (c.positions === 'rope') {
    const turn = rotation(0, c.length, c.dHead, c.ropeBase);
    q = at(name('attn.hook_rot_q'), rotate(q, turn), ...split);
    k = at(name('attn.hook_rot_k'), rotate(k, turn), ...split);
  }
  const square = [c.heads, c.length, c.length] as const;
  const dots = tf.matMul(byHead(q), byHead(k), false, true); // [batch, head, query, key]
  let scores = tf.mul(dots, 1 / Math.sqrt(c.dHead));
  if (c.causal && c.length > 1) scores = tf.add(scores, causalMask(c.length));
  scores = at(name('attn.hook_attn_scores'), scores, ...square);
  const pattern = at(name('attn.hook_pattern'), softmax(scores), ...square);
  const mixed = tf.matMul(pattern, byHead(v)); // [batch, head, query, d_head]
  const z = tf.reshape(c.heads === 1 ? mixed : tf.transpose(mixed, [0, 2, 1, 3]), [-1, c.dim]);
  const keep = how.keep?.[name('attn')];
  if (keep === undefined) return linear(z, w(name('attn.W_O'))); // [batch · pos, d_model]
  return dropped(linear(z, rescaled(c, w(name('attn.W_O')))), keep);
}

function mlp(c: Config, w: ParamReader, h: tf.Tensor, name: Name, at: At, how: How): tf.Tensor {
  const hidden = [c.length, c.dMlp] as const;
  const gated = c.mlp === 'swiglu';
  const weights = w(name(gated ? 'mlp.W_gate' : 'mlp.W_in'));
  const pre = at(name('mlp.hook_pre'), linear(h, weights), ...hidden); // [batch · pos, d_mlp]
  let post: tf.Tensor;
  if (gated) {
    const straight = linear(h, w(name('mlp.W_in'))); // [batch · pos, d_mlp]
    post = swiglu(pre, at(name('mlp.hook_pre_linear'), straight, ...hidden));
  } else post = c.mlp === 'relu' ? tf.relu(pre) : gelu(pre);
  post = at(name('mlp.hook_post'), post, ...hidden);
  const keep = how.keep?.[name('mlp')];
  if (keep === undefined) return linear(post, w(name('mlp.W_out'))); // [batch · pos, d_model]
  return linear(dropped(post, keep), rescaled(c, w(name('mlp.W_out'))));
}

/** Tokens to rows of the embedding, or features through it: `[batch · pos, d_model]`. */
function embed(c: Config, w: ParamReader, inputs: tf.Tensor): tf.Tensor {
  if (c.features !== undefined) return linear(tf.reshape(inputs, [-1, c.features]), w('embed.W_E'));
  return tf.gather(w('embed.W_E'), tf.reshape(inputs, [-1]) as tf.Tensor1D);
}

/** `[rows, in] · [in, out]`. */
function linear(x: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  return tf.matMul(x as tf.Tensor2D, weights as tf.Tensor2D);
}

function norm(c: Config, w: ParamReader, name: string, x: tf.Tensor): tf.Tensor {
  if (c.norm === 'none') return x;
  if (c.norm === 'rms') return rmsNorm(x, w(`${name}.w`), c.eps);
  return layerNorm(x, w(`${name}.w`), w(`${name}.b`), c.eps);
}

/** `[batch, pos, head, d_head]` → `[batch, head, pos, d_head]`; with one head only a reshape. */
function byHead(x: tf.Tensor): tf.Tensor {
  const [batch, pos, heads, dHead] = x.shape as [number, number, number, number];
  if (heads === 1) return tf.reshape(x, [batch, 1, pos, dHead]);
  return tf.transpose(x, [0, 2, 1, 3]);
}

/** 0 where query ≥ key, else so low that softmax gives 0: `[query, key]`. */
function causalMask(length: number): tf.Tensor {
  const entries = Float32Array.from({ length: length * length }, (_, i) =>
    i % length > Math.floor(i / length) ? UNSEEN : 0,
  );
  return tf.tensor2d(entries, [length, length]);
}

/** Zero where the mask is. Dividing kept values by the keep probability is left to `rescaled`. */
function dropped(x: tf.Tensor, keep: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.reshape(tf.cast(keep, 'float32'), x.shape));
}

/** Weights over the keep probability: a linear map beside the mask is smaller than what is masked. */
function rescaled(c: Config, weights: tf.Tensor): tf.Tensor {
  return tf.div(weights, 1 - c.dropout);
}
