/**
 * The transformer behind core's model contract, and its hook, where values are read and replaced.
 * The forward pass stops once every requested site is delivered, like baukit's `StopForward`.
 */
import {
  InputError,
  type Model,
  type ParamReader,
  type Site,
  type SiteInfo,
  unknownName,
} from '@grok/core';
import { checkParameterCount } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import type { ApplyOptions, HookPoint } from './forward.js';
import { countParameters, initialize } from './init.js';
import {
  assemble,
  assembleRows,
  type BatchLayout,
  lastQueries,
  lastRows,
  layOutBatch,
  type Parts,
} from './layout.js';
import type { Config } from './options.js';
import { planForward, planSteps } from './shortcuts.js';
import { listSites } from './sites.js';
import { forward } from './transformer.js';

/** Creates a model of the given sizes; its sites are listed by `sites()`. @throws InputError when it is too large. */
export function createTransformer(cfg: Config): Model {
  checkParameterCount('model "transformer"', countParameters(cfg));
  const infos = listSites(cfg);
  const bySite = new Map(infos.map((info) => [info.name, info]));
  const model: Model = {
    shape: { layers: cfg.depth, width: cfg.dim, heads: cfg.heads },
    keepProbability: 1 - cfg.dropout,
    conventions: describeConventions(cfg),
    init: (rng) => initialize(cfg, rng),
    sites: () => infos,
    dropoutMaskShapes(batch) {
      const layers = Array.from({ length: cfg.dropout === 0 ? 0 : cfg.depth }, (_, l) => [
        [`blocks.${l}.attn`, [batch, cfg.length, cfg.dim]] as const,
        [`blocks.${l}.mlp`, [batch, cfg.length, cfg.dMlp]] as const,
      ]);
      return Object.fromEntries(layers.flat());
    },
    apply(params, inputs, options) {
      for (const site of [...options.sites, ...Object.keys(options.taps ?? {})])
        if (!bySite.has(site)) throw unknownName('site', site, [...bySite.keys()]);
      if (options.masks !== undefined)
        checkMasks(Object.keys(options.masks), Object.keys(model.dropoutMaskShapes(1)));
      return options.sites.size === 0 ? {} : compute(cfg, bySite, params, inputs, options);
    },
  };
  return model;
}

/** For people who read the parameters elsewhere. */
function describeConventions({
  heads,
  dHead,
  positions,
  ropeBase,
  mlp,
  norm,
  eps,
}: Config): string {
  return [
    'linear weights are [in, out]',
    `W_Q, W_K, W_V: ${heads} heads of ${dHead} columns, side by side; W_O takes them in that order`,
    positions === 'rope'
      ? `rotary positions half-split, base ${ropeBase}`
      : `positions: ${positions}`,
    mlp === 'swiglu' ? 'mlp: (silu(x W_gate) * x W_in) W_out' : `mlp: ${mlp}(x W_in) W_out`,
    `norm before each part: ${norm}, eps ${eps}`,
  ].join('; ');
}

/** @throws InputError when a mask is missing. */
function checkMasks(given: readonly string[], needed: readonly string[]): void {
  for (const mask of needed)
    if (!given.includes(mask))
      throw new InputError(
        `model "transformer": dropout needs the mask "${mask}", got ${given.join(', ') || 'none'}; give all or none`,
      );
}

/** Runs a forward pass as far as the requested sites need. */
function compute(
  cfg: Config,
  infos: ReadonlyMap<Site, SiteInfo>,
  params: ParamReader,
  inputs: tf.Tensor,
  options: ApplyOptions,
): Record<Site, tf.Tensor> {
  const { masks = {}, sites } = options;
  const plan = planForward(cfg, inputs, [...infos.keys()], options);
  const layout = layOutBatch(cfg, inputs, plan.sharedPrefix);
  const found = new Map<Site, tf.Tensor>();
  const hook = createHook(infos, layout, options, plan.narrowsAfter, found);
  try {
    forward({ cfg, layout, masks, params, hook, isUsed: plan.isUsed, ...planSteps(plan) });
  } catch (error) {
    if (!(error instanceof StopForward)) throw error;
  }
  const order = [...sites];
  return Object.fromEntries([...found].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
}

/** Ends a forward pass when every requested site has been delivered. */
class StopForward extends Error {}

/** A hook that delivers to `found`. After the sites in `narrowsAfter`, it passes on only the last position. */
function createHook(
  infos: ReadonlyMap<Site, SiteInfo>,
  layout: BatchLayout,
  { sites, taps = {} }: ApplyOptions,
  narrowsAfter: (site: Site) => boolean,
  found: Map<Site, tf.Tensor>,
): HookPoint {
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
  return hook;
}
