/**
 * One forward pass: what `transformer.ts` computes with. `hook` is where values are read, replaced and, once
 * everything that is asked for is delivered, where the pass stops, as baukit's `StopForward` does.
 */
import type { Model, ParamReader, Site, SiteInfo } from '@grok/core';
import * as tf from '@grok/tfjs';
import {
  assemble,
  assembleRows,
  type Layout,
  lastQueries,
  lastRows,
  type Parts,
} from './layout.js';
import type { Weights } from './ops.js';
import type { Config } from './options.js';

export type ApplyOptions = Parameters<Model['apply']>[2];

/** Delivers the value at a site, and hands on what the rest of the pass reads there. */
export interface Hook {
  /** One row a position, `[all, d]`, or what has no position, `[batch, d]`. */
  (site: Site, x: tf.Tensor): tf.Tensor;
  /** By part, `[rows, pos, head, d_head]` or `[rows, head, query, key]`. */
  (site: Site, x: Parts): Parts;
}

/** What attention mixes values by, and the values. */
export interface AttentionInputs {
  /** `[batch, head, query, key]`, over √d_head. */
  readonly scores: Parts;
  /** `[batch, key, head, d_head]`. */
  readonly v: Parts;
}

/** The steps that have a faster form with the same results. */
export interface Steps {
  /** The embedding of every position, `[batch, pos, d_model]`. */
  embed(this: Forward): tf.Tensor;
  /** Adds what is learned of every position to `[batch, pos, d_model]`. */
  addPositions(this: Forward, x: tf.Tensor): tf.Tensor;
  /** RMSNorm or LayerNorm of `[batch, pos, d_model]`, by the name of its parameters. */
  normalize(this: Forward, name: string, x: tf.Tensor): tf.Tensor;
  /** The matrices before and after a block's values are mixed. */
  attentionWeights(this: Forward, block: string): { readonly W_V: Weights; readonly W_O: Weights };
  /** From the residual stream `[batch, pos, d_model]` to what a block's attention mixes. */
  attend(this: Forward, block: string, x: tf.Tensor, W_V: Weights): AttentionInputs;
  /** The positions that ask in a block's attention, `[batch, pos, d_model]` → `[batch, query, d_model]`. */
  toQueries(this: Forward, block: string, x: tf.Tensor): tf.Tensor;
  /** SwiGLU, `[batch, pos, d_mlp]` twice → `[batch, pos, d_mlp]`. */
  gate(this: Forward, mlp: string, pre: tf.Tensor, straight: tf.Tensor): tf.Tensor;
  /** Drops what the mask of that name drops; the division by the keep probability is made in the weights beside it. */
  dropout(this: Forward, name: string, x: tf.Tensor): tf.Tensor;
}

/** Everything that a forward pass reads. */
export interface Forward extends Readonly<Steps> {
  readonly cfg: Config;
  readonly layout: Layout;
  /** Dropout masks by name; none in evaluation. */
  readonly masks: Readonly<Record<string, tf.Tensor>>;
  readonly params: ParamReader;
  readonly hook: Hook;
  /** Whether somebody reads or replaces the value at one of the sites. */
  readonly isUsed: (...sites: Site[]) => boolean;
}

/** Ends a forward pass: every site asked for is delivered. */
class StopForward extends Error {}

/**
 * A hook over a layout, and a function that runs a forward pass and returns what its hook delivered. After
 * the sites that `narrowsAfter` names, the hook hands on the last position alone.
 */
export function createHook(
  infos: ReadonlyMap<Site, SiteInfo>,
  layout: Layout,
  { sites, taps = {} }: ApplyOptions,
  narrowsAfter: (site: Site) => boolean,
): { hook: Hook; deliver: (pass: () => void) => Record<Site, tf.Tensor> } {
  const found = new Map<Site, tf.Tensor>();
  const record = (site: Site, value: tf.Tensor): void => {
    if (sites.has(site)) found.set(site, value);
    if (found.size === sites.size) throw new StopForward();
  };
  const hookRows = (info: SiteInfo, x: tf.Tensor): tf.Tensor => {
    const tap = taps[info.name];
    const isRow = info.axes[0] === 'pos';
    const whole = isRow ? assembleRows(layout, x, info.shape.slice(1)) : x;
    const value = tap === undefined ? whole : tap(whole);
    record(info.name, value);
    return tap === undefined ? x : tf.reshape(value, x.shape);
  };
  const hookParts = (info: SiteInfo, x: Parts): Parts => {
    const tap = taps[info.name];
    const parts = tap === undefined ? x : x.map(tap);
    record(info.name, assemble(layout, parts, info.axes));
    return parts;
  };
  function hook(site: Site, x: tf.Tensor): tf.Tensor;
  function hook(site: Site, x: Parts): Parts;
  function hook(site: Site, x: tf.Tensor | Parts): tf.Tensor | Parts {
    const info = infos.get(site);
    const isUsed = info !== undefined && (sites.has(site) || Object.hasOwn(taps, site));
    if (x instanceof tf.Tensor) {
      const rows = isUsed ? hookRows(info, x) : x;
      return narrowsAfter(site) ? lastRows(layout, rows) : rows;
    }
    const parts = isUsed ? hookParts(info, x) : x;
    return narrowsAfter(site) ? lastQueries(parts) : parts;
  }
  const deliver = (pass: () => void): Record<Site, tf.Tensor> => {
    try {
      pass();
    } catch (error) {
      if (!(error instanceof StopForward)) throw error;
    }
    const order = [...sites];
    return Object.fromEntries([...found].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
  };
  return { hook, deliver };
}
