/**
 * The whole model: a pre-norm transformer as in the reference implementation of the paper (section 3.1;
 * Vaswani et al. 2017, with LLaMA's RMSNorm, SwiGLU and rotary positions), told as in nanoGPT. Values
 * travel as matrices `[all, d]`, one row a position, so that every linear map is one matrix product.
 */
import { InputError, type Model, type ParamReader, type Site, unknownName } from '@grok/core';
import * as tf from '@grok/tfjs';
import { initialise } from './init.js';
import * as ops from './ops.js';
import { linear } from './ops.js';
import type { Config } from './options.js';
import { prefixNumbers, worthSharing } from './prefixes.js';
import { sitesOf } from './sites.js';
import { fromTables, tablesAreCheaper } from './tables.js';
import {
  at,
  atParts,
  byHead,
  cut,
  type How,
  isLookedAt,
  joined,
  type Looks,
  type Part,
  type Values,
  type Walk,
  withPrefix,
} from './walk.js';

/** The residual stream: `[all, d_model]`, or `[batch, d_model]` once only the last position is followed. */
interface Stream {
  readonly x: tf.Tensor;
  readonly last: boolean;
}

/** Added to the scores of positions that may not be seen; its softmax is exactly 0. */
const UNSEEN = -1e9;

/** A model of the given sizes; see `sites()` for what can be asked of it. */
export function transformer(c: Config): Model {
  const infos = sitesOf(c);
  const known = infos.map(({ name }) => name);
  const maskShapes = (batch: number): Record<string, readonly number[]> => {
    const layers = Array.from({ length: c.dropout === 0 ? 0 : c.depth }, (_, l) => [
      [`blocks.${l}.attn`, [batch, c.length, c.dim]] as const,
      [`blocks.${l}.mlp`, [batch, c.length, c.dMlp]] as const,
    ]);
    return Object.fromEntries(layers.flat());
  };
  return {
    shape: { layers: c.depth, width: c.dim, heads: c.heads },
    keepProbability: 1 - c.dropout,
    init: (rng) => initialise(c, rng),
    sites: () => infos,
    dropoutMaskShapes: maskShapes,
    apply(params, inputs, how) {
      for (const site of [...how.sites, ...Object.keys(how.taps ?? {})])
        if (!known.includes(site)) throw unknownName('site', site, known);
      const { masks } = how;
      for (const mask of masks === undefined ? [] : Object.keys(maskShapes(1)))
        if (masks?.[mask] === undefined)
          throw new InputError(
            `model "transformer": dropout needs the mask "${mask}", got ${Object.keys(masks ?? {}).join(', ') || 'none'}; give all or none`,
          );
      return forward(c, params, inputs, how);
    },
  };
}

function forward(c: Config, w: ParamReader, inputs: tf.Tensor, how: How): Values {
  const { taps = {}, masks } = how;
  const sites = new Set(how.sites);
  const reads = sites.delete('pooled') || sites.has('logits');
  sites.delete('logits');
  if (reads && c.pool === 'mean') sites.add('ln_final.hook_out');
  const p = { c, w, masks, taps, sites, reads, found: {}, ...partsOf(c, inputs, sites, how) };
  const stream = walk(p);
  const found: Values = p.found;
  if (stream !== undefined && reads) {
    const read = c.pool === 'mean' ? tf.mean(found['ln_final.hook_out']!, 1) : lastRows(p, stream);
    found.pooled = taps.pooled === undefined ? read : taps.pooled(read); // [batch, d_model]
  }
  if (found.pooled !== undefined && how.sites.has('logits')) {
    const logits = linear(found.pooled, w('unembed.W_U')); // [batch, d_vocab]
    found.logits = taps.logits === undefined ? logits : taps.logits(logits);
  }
  return Object.fromEntries([...how.sites].map((site) => [site, found[site]!]));
}

/**
 * Positions whose tokens repeat from row to row are computed once a distinct prefix; the others attend
 * to their prefix's keys and values, as a decoder does to its cache. Dropout and taps tell rows apart;
 * scores that may not be seen would differ in their last digits.
 */
function partsOf(
  c: Config,
  inputs: tf.Tensor,
  sites: ReadonlySet<Site>,
  { masks, taps = {} }: How,
): Pick<Walk, 'parts' | 'prefix' | 'inputs'> {
  const batch = inputs.shape[0]!;
  const tokens = c.features === undefined ? (inputs as tf.Tensor2D) : undefined;
  const whole = { rows: batch, start: 0, length: c.length, tokens };
  const apart = masks !== undefined || Object.keys(taps).length > 0;
  const scores = [...sites].some((site) => site.endsWith('hook_attn_scores'));
  const shared = apart || scores ? undefined : worthSharing(c.prefixes, batch);
  if (shared === undefined) {
    const flat = tf.reshape(inputs, c.features === undefined ? [-1] : [-1, c.features]);
    return { parts: [whole], prefix: undefined, inputs: flat };
  }
  const { length, count, tokens: distinct } = shared.at(-1)!;
  const others = tf.reshape(tf.slice(inputs, [0, length], [-1, -1]), [-1]); // [batch · (pos − length)]
  const prefixes = tf.tensor2d(distinct, [count, length], 'int32');
  return {
    parts: [
      { rows: count, start: 0, length, tokens: prefixes },
      { rows: batch, start: length, length: c.length - length, tokens },
    ],
    prefix: prefixNumbers(inputs, shared, c.vocabulary),
    inputs: tf.concat([tf.reshape(prefixes, [-1]), others]),
  };
}

/** Walks all blocks; undefined when all that is asked for was found on the way. */
function walk(p: Walk): Stream | undefined {
  const { c } = p;
  // With its scores and values from tables, a single block asks for the embedding of what it reads alone.
  const alone = tablesAreCheaper(p) && followsLast(p, 0, 'hook_embed');
  const embedded = at(p, 'hook_embed', embed(p, alone ? lastTokens(p) : p.inputs)); // [all | batch, d_model]
  const x = c.positions === 'learned' ? positioned(p, embedded, alone) : embedded;
  let stream: Stream | undefined = { x, last: alone };
  for (let l = 0; l < c.depth && !done(p); l++) {
    stream = attention(p, l, { ...stream, x: at(p, `blocks.${l}.hook_resid_pre`, stream.x) });
    if (stream === undefined || done(p)) return undefined;
    stream = mlp(p, l, stream);
  }
  if (done(p)) return undefined;
  const { last, x: read } = narrowed(p, stream, c.depth - 1, 'ln_final.hook_out');
  return { last, x: at(p, 'ln_final.hook_out', norm(p, 'ln_final', read)) };
}

/** The residual stream after a block's attention; undefined when the walk ends inside it. */
function attention(p: Walk, l: number, stream: Stream): Stream | undefined {
  const { c, w } = p;
  const name = (site: string): string => `blocks.${l}.${site}`;
  const onlyLast = followsLast(p, l, name('attn.hook_q'));
  const last = onlyLast || followsLast(p, l, name('hook_attn_out'));
  const mask = maskOf(p, name('attn'), last);
  const output = mask ? rescaled(c, w(name('attn.W_O'))) : w(name('attn.W_O'));
  // One head's values and output are one matrix, applied where rows are fewer: before mixing or after.
  const ov = hasJointOV(p, l) ? linear(w(name('attn.W_V')), output) : undefined; // [d_model, d_model]

  // A token's first queries, keys and values depend on the token and its position alone.
  const byToken = l === 0 && tablesAreCheaper(p);
  const h = norm(p, name('ln1'), byToken ? w('embed.W_E') : stream.x); // [all | d_vocab, d_model]
  const mixesFirst = ov !== undefined && last && !byToken;
  const { scores, values } = byToken
    ? fromTables(p, h, ov, onlyLast)
    : fromStream(p, l, h, ov, { onlyLast, mixesFirst });
  if (done(p)) return undefined;

  const masked = atParts(
    p,
    name('attn.hook_attn_scores'),
    scores.map((x) => seen(c, x)),
  );
  let patterns = atParts(p, name('attn.hook_pattern'), masked.map(ops.softmax));
  if (last && !onlyLast) patterns = [lastQuery(patterns.at(-1)!)];
  const mixed = patterns.map((pattern, i) => {
    const v = byHead(values.at(i - patterns.length)!);
    const sum = tf.matMul(pattern, v); // [rows, head, query, d_head]
    return c.heads === 1 ? sum : tf.transpose(sum, [0, 2, 1, 3]);
  });
  const z = joined(mixed, c.dim); // [all, d_model]
  const product = ov === undefined || mixesFirst ? linear(z, ov ?? output) : z;
  const out = mask ? tf.mul(product, mask) : product;
  const before = last ? lastRows(p, stream) : stream.x;
  const after = tf.add(before, at(p, name('hook_attn_out'), out));
  return { last, x: at(p, name('hook_resid_mid'), after) };
}

/** Scores and values from the stream; `ov` stands for `W_V`, and comes after mixing where that is asked. */
function fromStream(
  p: Walk,
  l: number,
  h: tf.Tensor,
  ov: tf.Tensor | undefined,
  { onlyLast, mixesFirst }: { onlyLast: boolean; mixesFirst: boolean },
): Looks {
  const { c, w } = p;
  const name = (site: string): string => `blocks.${l}.attn.${site}`;
  const project = (which: string, weights = w(name(`W_${which.toUpperCase()}`))): tf.Tensor[] =>
    atParts(p, name(`hook_${which}`), cut(p, linear(h, weights), c.heads, c.dHead)); // [rows, pos, head, d_head]
  const turned = (which: string, parts: tf.Tensor[]): tf.Tensor[] =>
    c.positions !== 'rope'
      ? parts
      : atParts(
          p,
          name(`hook_rot_${which}`),
          parts.map((part, i) => turn(p, part, p.parts.at(i - parts.length)!)),
        );
  const keys = withPrefix(p, turned('k', project('k'))); // [rows, key, head, d_head]
  const values = withPrefix(p, mixesFirst ? cut(p, h, 1, c.dim) : project('v', ov));
  const lastOf = (): tf.Tensor => linear(lastRows(p, { x: h, last: false }), w(name('W_Q')));
  const queries = turned(
    'q',
    onlyLast ? [tf.reshape(lastOf(), [-1, 1, c.heads, c.dHead])] : project('q'),
  ); // [rows, query, head, d_head]
  const scores = queries.map((q, i) => {
    const k = keys.at(i - queries.length)!;
    const dots = tf.matMul(byHead(q), byHead(k), false, true); // [rows, head, query, key]
    return tf.mul(dots, 1 / Math.sqrt(c.dHead));
  });
  return { scores, values };
}

/** The residual stream after a block's MLP. */
function mlp(p: Walk, l: number, stream: Stream): Stream {
  const { c, w } = p;
  const name = (site: string): string => `blocks.${l}.${site}`;
  const { x, last } = narrowed(p, stream, l, name('mlp.hook_pre'));
  const h = norm(p, name('ln2'), x);
  const gated = c.mlp === 'swiglu';
  const first = linear(h, w(name(gated ? 'mlp.W_gate' : 'mlp.W_in'))); // [all, d_mlp]
  const pre = at(p, name('mlp.hook_pre'), first);
  const mask = maskOf(p, name('mlp'), last);
  const masksGate = gated && mask !== undefined && !isLookedAt(p, name('mlp.hook_post'));
  let post: tf.Tensor;
  if (gated) {
    const straight = at(p, name('mlp.hook_pre_linear'), linear(h, w(name('mlp.W_in')))); // [all, d_mlp]
    post = ops.swiglu(pre, straight, masksGate ? mask : undefined);
  } else post = c.mlp === 'relu' ? tf.relu(pre) : ops.gelu(pre);
  if (!masksGate) post = at(p, name('mlp.hook_post'), post);
  const kept = mask && !masksGate ? tf.mul(post, mask) : post;
  const weights = w(name('mlp.W_out'));
  const out = linear(kept, mask ? rescaled(c, weights) : weights); // [all, d_model]
  const after = tf.add(x, at(p, name('hook_mlp_out'), out));
  return { last, x: at(p, name('hook_resid_post'), after) };
}

/** Whether nothing is left to compute. */
function done(p: Walk): boolean {
  return !p.reads && [...p.sites].every((site) => p.found[site] !== undefined);
}

/** Whether from `site` on only the last position matters: it is read, and nobody looks at the others. */
function followsLast(p: Walk, l: number, site: Site): boolean {
  const { c } = p;
  if (!c.algebra.lastPosition || c.pool !== 'cls' || l < c.depth - 1) return false;
  const order = sitesOf(c).map(({ name }) => name);
  const aside = ['k', 'rot_k', 'v'].map((which) => `blocks.${l}.attn.hook_${which}`);
  return order
    .slice(order.indexOf(site), order.indexOf('pooled'))
    .every((later) => aside.includes(later) || !isLookedAt(p, later));
}
function narrowed(p: Walk, stream: Stream, l: number, site: Site): Stream {
  return followsLast(p, l, site) ? { x: lastRows(p, stream), last: true } : stream;
}
/** The last position of every row of the batch, `[batch, d]`. */
function lastRows(p: Walk, { x, last }: Stream): tf.Tensor {
  return last ? x : ops.lastPosition(cut(p, x).at(-1)!);
}
/** `[rows, head, query, key]` → `[rows, head, 1, key]`. */
function lastQuery(pattern: tf.Tensor): tf.Tensor {
  const [rows, heads, query, key] = pattern.shape as [number, number, number, number];
  const last = ops.lastPosition(tf.reshape(pattern, [rows * heads, query, key])); // [rows · head, key]
  return tf.reshape(last, [rows, heads, 1, key]);
}
/** Turns queries or keys `[rows, pos, head, d_head]` by their positions, the last ones of their part. */
function turn(p: Walk, x: tf.Tensor, { start, length }: Part): tf.Tensor {
  const count = x.shape[1]!;
  const positions = Array.from({ length: count }, (_, i) => start + length - count + i);
  return ops.rotate(x, ops.rotation(positions, p.c.dHead, p.c.ropeBase));
}

/** Whether `W_V · W_O`, the OV circuit (Elhage et al. 2021), saves products: with one head whose values nobody looks at. */
function hasJointOV(p: Walk, l: number): boolean {
  const { c } = p;
  const looked = isLookedAt(p, `blocks.${l}.attn.hook_v`);
  if (!c.algebra.jointOV || c.heads > 1 || looked) return false;
  return p.inputs.shape[0]! > c.dim;
}

/** Tokens `[rows]` to rows of the embedding, or features `[rows, features]` through it: `[rows, d_model]`. */
function embed(p: Walk, inputs: tf.Tensor): tf.Tensor {
  const table = p.w('embed.W_E');
  if (p.c.features !== undefined) return linear(inputs, table);
  return tf.gather(table, inputs as tf.Tensor1D);
}
/** Adds learned positions, to all or to the last of each row. */
function positioned(p: Walk, x: tf.Tensor, last: boolean): tf.Tensor {
  const learned = (start: number, length: number): tf.Tensor =>
    tf.slice(p.w('pos_embed.W_pos'), [start, 0], [length, -1]);
  if (last) return tf.add(x, learned(p.c.length - 1, 1)); // [batch, d_model]
  const parts = cut(p, x).map((part, i) =>
    tf.add(part, learned(p.parts[i]!.start, p.parts[i]!.length)),
  ); // [rows, pos, d_model]
  return joined(parts, p.c.dim);
}
/** The last token of each row, `[batch]`. */
function lastTokens(p: Walk): tf.Tensor1D {
  const tokens = p.parts.at(-1)!.tokens!;
  return tf.reshape(tf.slice(tokens, [0, p.c.length - 1], [-1, 1]), [-1]);
}

function norm(p: Walk, name: string, x: tf.Tensor): tf.Tensor {
  const { c, w } = p;
  if (c.norm === 'none') return x;
  if (c.norm === 'rms') return ops.rmsNorm(x, w(`${name}.w`), c.eps);
  return ops.layerNorm(x, w(`${name}.w`), w(`${name}.b`), c.eps);
}

/** Scores `[rows, head, query, key]` with those that may not be seen so low that softmax gives 0; the last query is at the last key. */
function seen(c: Config, scores: tf.Tensor): tf.Tensor {
  const [queries, keys] = scores.shape.slice(2) as [number, number];
  if (!c.causal || queries === 1) return scores;
  const entries = Float32Array.from({ length: queries * keys }, (_, i) =>
    (i % keys) - keys > Math.floor(i / keys) - queries ? UNSEEN : 0,
  );
  return tf.add(scores, tf.tensor2d(entries, [queries, keys]));
}

/** A dropout mask as 0 and 1, `[all, d]`; dividing by the keep probability is left to `rescaled`. */
function maskOf(p: Walk, name: string, last: boolean): tf.Tensor | undefined {
  const masks = p.masks?.[name];
  if (masks === undefined) return undefined;
  const chosen = last ? tf.slice(masks, [0, p.c.length - 1, 0], [-1, 1, -1]) : masks;
  return tf.cast(tf.reshape(chosen, [-1, masks.shape.at(-1)!]), 'float32');
}
/** Weights over the keep probability: the linear map beside a mask is smaller than what is masked. */
function rescaled(c: Config, weights: tf.Tensor): tf.Tensor {
  return tf.div(weights, 1 - c.dropout);
}
