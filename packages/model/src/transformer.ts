/**
 * The whole model: a pre-norm transformer as in the reference implementation of the paper (section 3.1;
 * Vaswani et al. 2017, with LLaMA's RMSNorm, SwiGLU and rotary positions), told as in nanoGPT. Values
 * travel as matrices `[rows · pos, d]`, so that every linear map is one matrix product.
 */
import { InputError, type Model, type ParamReader, type Site, unknownName } from '@grok/core';
import * as tf from '@grok/tfjs';
import { initialise } from './init.js';
import * as ops from './ops.js';
import type { Config } from './options.js';
import { type Prefixes, prefixNumbers, worthSharing } from './prefixes.js';
import { sitesOf } from './sites.js';

type How = Parameters<Model['apply']>[2];
type Values = Record<Site, tf.Tensor>;

/** Keys (turned by their positions) and values of one block, `[rows, pos, head, d_head]`. */
interface Attended {
  readonly k: tf.Tensor;
  readonly v: tf.Tensor;
}
/** One walk through the blocks: some rows, some consecutive positions. */
interface Walk {
  readonly c: Config;
  readonly w: ParamReader;
  /** Tokens `[rows, length]` or features `[rows, length, features]` of positions `start … start + length − 1`. */
  readonly inputs: tf.Tensor;
  readonly rows: number;
  readonly start: number;
  readonly length: number;
  /** By block, of the positions before `start`; there are none when `start` is 0. */
  readonly past: readonly Attended[];
  /** By block, of this walk's own positions; filled on the way. */
  readonly attended: Attended[];
  readonly keep: How['keep'];
  readonly taps: NonNullable<How['taps']>;
  /** Sites asked for, and those delivered so far. */
  readonly sites: ReadonlySet<Site>;
  readonly found: Values;
  /** Whether the walk goes on after all sites are found: to the last block's keys, to the end, or not. */
  readonly goal: 'sites' | 'keys' | 'end';
}
/** The residual stream: `[rows · pos, d_model]`, or `[rows, d_model]` once only the last position is followed. */
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

function forward(c: Config, w: ParamReader, inputs: tf.Tensor, how: How): Values {
  const { taps = {}, keep } = how;
  const rows = inputs.shape[0]!;
  const reads = ['pooled', 'logits'].some((site) => how.sites.has(site));
  const sites = new Set(how.sites);
  if (reads && c.pool === 'mean') sites.add('ln_final.hook_out');
  const goal = reads ? 'end' : 'sites';
  const main: Walk = {
    ...{ c, w, taps, keep, sites, goal, inputs, rows },
    ...{ start: 0, length: c.length, past: [], attended: [], found: {} },
  };
  // Scores that may not be seen differ in their last digits from walk to walk.
  const scores = [...sites].some((site) => site.endsWith('hook_attn_scores'));
  const plain = keep !== undefined || Object.keys(taps).length > 0 || scores;
  const shared = plain ? undefined : worthSharing(c.prefixes, rows);
  const { found, length, stream } =
    shared === undefined ? { ...main, stream: walk(main) } : walkFromPrefixes(main, shared);
  if (stream !== undefined && reads) {
    const pooled = at(main, 'pooled', pool(c, stream, found, length), c.dim); // [batch, d_model]
    if (how.sites.has('logits')) at(main, 'logits', linear(pooled, w('unembed.W_U')), c.vocabulary); // [batch, d_vocab]
  }
  return Object.fromEntries([...how.sites].map((site) => [site, found[site]!]));
}

/** Walks all blocks; undefined when all that is asked for was found on the way. */
function walk(p: Walk): Stream | undefined {
  const { c, w } = p;
  const resid = [p.length, c.dim] as const;
  let x = at(p, 'hook_embed', embed(p), ...resid); // [rows · pos, d_model]
  if (c.positions === 'learned') {
    const own = tf.slice(w('pos_embed.W_pos'), [p.start, 0], [p.length, -1]); // [pos, d_model]
    x = tf.reshape(tf.add(tf.reshape(x, [p.rows, ...resid]), own), x.shape);
  }
  let stream: Stream | undefined = { x, last: false };
  for (let l = 0; l < c.depth; l++) {
    if (done(p, l - 1)) return undefined;
    stream = attention(p, l, {
      ...stream,
      x: at(p, `blocks.${l}.hook_resid_pre`, stream.x, ...resid),
    });
    if (stream === undefined || done(p, l)) return undefined;
    stream = mlp(p, l, stream);
  }
  if (done(p, c.depth - 1)) return undefined;
  const { last, x: read } = narrowed(p, stream, c.depth - 1, 'ln_final.hook_out');
  return { last, x: at(p, 'ln_final.hook_out', norm(p, 'ln_final', read), ...resid) };
}

/** The residual stream after a block's attention; undefined when the walk ends inside it. */
function attention(p: Walk, l: number, stream: Stream): Stream | undefined {
  const { c, w } = p;
  const name = (site: string): string => `blocks.${l}.${site}`;
  // A token's first queries, keys and values depend on the token alone: compute them by vocabulary.
  const byToken = l === 0 && tableIsCheaper(p);
  const h = norm(p, name('ln1'), byToken ? w('embed.W_E') : stream.x); // [rows · pos | d_vocab, d_model]
  const project = (which: string, last: boolean): tf.Tensor => {
    const weights = w(name(`attn.W_${which.toUpperCase()}`));
    const value = byToken
      ? tf.gather(linear(h, weights), tokens(p, last))
      : linear(last ? lastRows(p, h) : h, weights);
    const shape = [last ? 1 : p.length, c.heads, c.dHead] as const;
    return at(p, name(`attn.hook_${which}`), tf.reshape(value, [p.rows, ...shape]), ...shape);
  };
  const turned = (which: string, value: tf.Tensor): tf.Tensor => {
    if (c.positions !== 'rope') return value;
    const count = value.shape[1]!;
    const by = ops.rotation(p.start + p.length - count, count, c.dHead, c.ropeBase);
    const rotated = ops.rotate(value, by);
    return at(p, name(`attn.hook_rot_${which}`), rotated, ...rotated.shape.slice(1));
  };

  const own = { k: turned('k', project('k', false)), v: project('v', false) }; // [rows, pos, head, d_head]
  p.attended.push(own);
  if (done(p, l)) return undefined;
  const past = p.past[l];
  const k = past === undefined ? own.k : tf.concat([past.k, own.k], 1); // [rows, key, head, d_head]
  const v = past === undefined ? own.v : tf.concat([past.v, own.v], 1);
  const onlyLast = followsLast(p, l, name('attn.hook_q'));
  const q = turned('q', project('q', onlyLast)); // [rows, query, head, d_head]

  const [queries, keys] = [q.shape[1]!, k.shape[1]!];
  const square = [c.heads, queries, keys] as const;
  let scores = tf.mul(tf.matMul(byHead(q), byHead(k), false, true), 1 / Math.sqrt(c.dHead)); // [rows, head, query, key]
  if (c.causal && queries > 1) scores = tf.add(scores, causalMask(queries, keys));
  scores = at(p, name('attn.hook_attn_scores'), scores, ...square);
  let pattern = at(p, name('attn.hook_pattern'), ops.softmax(scores), ...square);
  const last = onlyLast || followsLast(p, l, name('hook_attn_out'));
  if (last && !onlyLast) {
    const ofLast = ops.lastPosition(tf.reshape(pattern, [-1, queries, keys])); // [rows · head, key]
    pattern = tf.reshape(ofLast, [p.rows, c.heads, 1, keys]);
  }
  const mixed = tf.matMul(pattern, byHead(v)); // [rows, head, query, d_head]
  const z = tf.reshape(c.heads === 1 ? mixed : tf.transpose(mixed, [0, 2, 1, 3]), [-1, c.dim]); // [rows · query, d_model]
  const mask = maskOf(p, name('attn'), last);
  const weights = w(name('attn.W_O'));
  const out = mask ? tf.mul(linear(z, rescaled(c, weights)), mask) : linear(z, weights);
  const before = last && !stream.last ? lastRows(p, stream.x) : stream.x;
  const after = tf.add(before, at(p, name('hook_attn_out'), out, p.length, c.dim));
  return { last, x: at(p, name('hook_resid_mid'), after, p.length, c.dim) };
}

/** The residual stream after a block's MLP. */
function mlp(p: Walk, l: number, stream: Stream): Stream {
  const { c, w } = p;
  const name = (site: string): string => `blocks.${l}.${site}`;
  const { x, last } = narrowed(p, stream, l, name('mlp.hook_pre'));
  const hidden = [p.length, c.dMlp] as const;
  const h = norm(p, name('ln2'), x);
  const gated = c.mlp === 'swiglu';
  const first = linear(h, w(name(gated ? 'mlp.W_gate' : 'mlp.W_in'))); // [rows · pos, d_mlp]
  const pre = at(p, name('mlp.hook_pre'), first, ...hidden);
  let post: tf.Tensor;
  if (gated) {
    const straight = linear(h, w(name('mlp.W_in'))); // [rows · pos, d_mlp]
    post = ops.swiglu(pre, at(p, name('mlp.hook_pre_linear'), straight, ...hidden));
  } else post = c.mlp === 'relu' ? tf.relu(pre) : ops.gelu(pre);
  post = at(p, name('mlp.hook_post'), post, ...hidden);
  const mask = maskOf(p, name('mlp'), last);
  const weights = w(name('mlp.W_out'));
  const out = mask ? linear(tf.mul(post, mask), rescaled(c, weights)) : linear(post, weights); // [rows · pos, d_model]
  const after = tf.add(x, at(p, name('hook_mlp_out'), out, p.length, c.dim));
  return { last, x: at(p, name('hook_resid_post'), after, p.length, c.dim) };
}

/** What is read out of the normed stream: its last position, or the mean of all. `[rows, d_model]`. */
function pool(c: Config, { x, last }: Stream, found: Values, length: number): tf.Tensor {
  if (c.pool === 'mean') return tf.mean(found['ln_final.hook_out']!, 1);
  return last ? x : ops.lastPosition(tf.reshape(x, [-1, length, c.dim]));
}

/**
 * Positions whose tokens repeat from row to row are walked once a distinct prefix; the rest of each row
 * attends to its prefix's keys and values, as a decoder does to its cache.
 */
function walkFromPrefixes(
  main: Walk,
  shared: readonly Prefixes[],
): { stream: Stream | undefined; found: Values; length: number } {
  const { c, inputs, found } = main;
  const { length, count, tokens } = shared.at(-1)!;
  const sites = new Set([...main.sites].filter((site) => site !== 'pooled' && site !== 'logits'));
  const early: Walk = {
    ...{ ...main, sites, length, found: {}, attended: [] },
    inputs: tf.tensor2d(tokens, [count, length], 'int32'),
    rows: count,
    goal: main.goal === 'end' ? 'keys' : 'sites',
  };
  walk(early);
  const number = prefixNumbers(inputs, shared, c.vocabulary); // [batch]
  const ofRows = (x: tf.Tensor): tf.Tensor => tf.gather(x, number); // [prefix, …] → [batch, …]
  const late: Walk = {
    ...{ ...main, start: length, length: c.length - length },
    inputs: tf.slice(inputs, [0, length], [-1, -1]),
    past: early.attended.map(({ k, v }) => ({ k: ofRows(k), v: ofRows(v) })),
  };
  const stream = walk(late);
  for (const site of sites) {
    const square = site.endsWith('hook_pattern');
    const unseen = square ? [tf.zeros([count, c.heads, length, late.length])] : [];
    const first = tf.concat([early.found[site]!, ...unseen], -1);
    found[site] = tf.concat([ofRows(first), found[site]!], square ? 2 : 1);
  }
  return { stream, found, length: late.length };
}

/** Delivers and taps a value as `[rows, …shape]`, and hands it on in its own shape. */
function at(p: Walk, site: Site, value: tf.Tensor, ...shape: number[]): tf.Tensor {
  const tap = p.taps[site];
  if (tap === undefined && !p.sites.has(site)) return value;
  let whole: tf.Tensor = tf.reshape(value, [p.rows, ...shape]);
  if (tap !== undefined) whole = tap(whole);
  if (p.sites.has(site)) p.found[site] = whole;
  return tf.reshape(whole, value.shape);
}

/** Whether nothing is left to compute once block `l` has its keys and values. */
function done(p: Walk, l: number): boolean {
  if (p.goal === 'end' || (p.goal === 'keys' && l < p.c.depth - 1)) return false;
  return [...p.sites].every((site) => p.found[site] !== undefined);
}

/** Whether from `site` on only the last position matters: it is read, and nobody looks at the others. */
function followsLast(p: Walk, l: number, site: Site): boolean {
  const { c } = p;
  if (!c.algebra.lastPosition || c.pool !== 'cls' || l < c.depth - 1) return false;
  const order = sitesOf(c).map(({ name }) => name);
  const aside = [
    `blocks.${l}.attn.hook_k`,
    `blocks.${l}.attn.hook_rot_k`,
    `blocks.${l}.attn.hook_v`,
  ];
  return order
    .slice(order.indexOf(site), order.indexOf('pooled'))
    .every((later) => aside.includes(later) || (!p.sites.has(later) && !(later in p.taps)));
}
function narrowed(p: Walk, stream: Stream, l: number, site: Site): Stream {
  if (stream.last || !followsLast(p, l, site)) return stream;
  return { x: lastRows(p, stream.x), last: true };
}
/** `[rows · pos, d]` → `[rows, d]`. */
function lastRows(p: Walk, x: tf.Tensor): tf.Tensor {
  return ops.lastPosition(tf.reshape(x, [p.rows, p.length, x.shape[1]!]));
}

/** Whether a table over the vocabulary saves more products than the one-hot gradient of its gathers costs. */
function tableIsCheaper(p: Walk): boolean {
  const { c } = p;
  const [all, table] = [p.rows * p.length, c.vocabulary];
  return (
    c.algebra.vocabularyTable &&
    c.features === undefined &&
    c.positions !== 'learned' &&
    !('hook_embed' in p.taps || 'blocks.0.hook_resid_pre' in p.taps) &&
    3 * c.dim * (all - table) > table * all
  );
}

/** Tokens to rows of the embedding, or features through it: `[rows · pos, d_model]`. */
function embed(p: Walk): tf.Tensor {
  const table = p.w('embed.W_E');
  if (p.c.features !== undefined) return linear(tf.reshape(p.inputs, [-1, p.c.features]), table);
  return tf.gather(table, tokens(p, false));
}
/** Tokens of all positions or of the last, `[rows · pos]`. */
function tokens(p: Walk, last: boolean): tf.Tensor1D {
  const chosen = last ? tf.slice(p.inputs, [0, p.length - 1], [-1, 1]) : p.inputs;
  return tf.reshape(chosen, [-1]) as tf.Tensor1D;
}

/** `[rows, in] · [in, out]`. */
function linear(x: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  return tf.matMul(x as tf.Tensor2D, weights as tf.Tensor2D);
}

function norm(p: Walk, name: string, x: tf.Tensor): tf.Tensor {
  const { c, w } = p;
  if (c.norm === 'none') return x;
  if (c.norm === 'rms') return ops.rmsNorm(x, w(`${name}.w`), c.eps);
  return ops.layerNorm(x, w(`${name}.w`), w(`${name}.b`), c.eps);
}

/** `[rows, pos, head, d_head]` → `[rows, head, pos, d_head]`; with one head only a reshape. */
function byHead(x: tf.Tensor): tf.Tensor {
  const [rows, pos, heads, dHead] = x.shape as [number, number, number, number];
  if (heads === 1) return tf.reshape(x, [rows, 1, pos, dHead]);
  return tf.transpose(x, [0, 2, 1, 3]);
}

/** 0 where a query may see a key, else so low that softmax gives 0: `[query, key]`; the last of both is the same position. */
function causalMask(queries: number, keys: number): tf.Tensor {
  const entries = Float32Array.from({ length: queries * keys }, (_, i) =>
    (i % keys) - keys > Math.floor(i / keys) - queries ? UNSEEN : 0,
  );
  return tf.tensor2d(entries, [queries, keys]);
}

/** A dropout mask as 0 and 1, `[rows · pos, d]`; dividing by the keep probability is left to `rescaled`. */
function maskOf(p: Walk, name: string, last: boolean): tf.Tensor | undefined {
  const keep = p.keep?.[name];
  if (keep === undefined) return undefined;
  const chosen = last ? tf.slice(keep, [0, p.length - 1, 0], [-1, 1, -1]) : keep;
  return tf.cast(tf.reshape(chosen, [-1, keep.shape.at(-1)!]), 'float32');
}
/** Weights over the keep probability: the linear map beside a mask is smaller than what is masked. */
function rescaled(c: Config, weights: tf.Tensor): tf.Tensor {
  return tf.div(weights, 1 - c.dropout);
}
