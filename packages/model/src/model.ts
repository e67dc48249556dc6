/** The transformer as core sees it: sizes, sites, masks, and `apply`. */
import { InputError, type Model, unknownName } from '@grok/core';
import { initialise } from './init.js';
import type { Config } from './options.js';
import { createForward } from './shortcuts.js';
import { listSites } from './sites.js';
import { forward } from './transformer.js';

/** A model of the given sizes; see `sites()` for what can be asked of it. */
export function createTransformer(cfg: Config): Model {
  const infos = listSites(cfg);
  const bySite = new Map(infos.map((info) => [info.name, info]));
  const maskShapes = (batch: number): Record<string, readonly number[]> => {
    const layers = Array.from({ length: cfg.dropout === 0 ? 0 : cfg.depth }, (_, l) => [
      [`blocks.${l}.attn`, [batch, cfg.length, cfg.dim]] as const,
      [`blocks.${l}.mlp`, [batch, cfg.length, cfg.dMlp]] as const,
    ]);
    return Object.fromEntries(layers.flat());
  };
  return {
    shape: { layers: cfg.depth, width: cfg.dim, heads: cfg.heads },
    keepProbability: 1 - cfg.dropout,
    init: (rng) => initialise(cfg, rng),
    sites: () => infos,
    dropoutMaskShapes: maskShapes,
    apply(params, inputs, options) {
      const { sites, taps = {}, masks } = options;
      for (const site of [...sites, ...Object.keys(taps)])
        if (!bySite.has(site)) throw unknownName('site', site, [...bySite.keys()]);
      const given = Object.keys(masks ?? {});
      for (const mask of masks === undefined ? [] : Object.keys(maskShapes(1)))
        if (!given.includes(mask))
          throw new InputError(
            `model "transformer": dropout needs the mask "${mask}", got ${given.join(', ') || 'none'}; give all or none`,
          );
      if (sites.size === 0) return {};
      const { f, deliver } = createForward(cfg, params, inputs, options, bySite);
      return deliver(() => forward(f));
    },
  };
}
