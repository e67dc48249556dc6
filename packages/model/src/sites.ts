/** The sites of the model where a value can be read or replaced, after TransformerLens's hooks. */
import type { SiteInfo } from '@grok/core';
import type { Config } from './options.js';

const RESIDUAL = ['pos', 'd_model'];
const HEADS = ['pos', 'head', 'd_head'];
const SCORES = ['head', 'query', 'key'];
const NEURONS = ['pos', 'd_mlp'];

/** Every site in the order of computation, with its axes and the shape of one row's value. */
export function listSites(cfg: Config): readonly SiteInfo[] {
  const sizes: Readonly<Record<string, number>> = {
    ...{ pos: cfg.length, query: cfg.length, key: cfg.length, head: cfg.heads, scale: 1 },
    ...{ d_model: cfg.dim, d_head: cfg.dHead, d_mlp: cfg.dMlp, d_vocab: cfg.vocabulary },
  };
  const site = (name: string, axes: readonly string[]): SiteInfo => ({
    ...{ name, axes },
    shape: axes.map((axis) => sizes[axis] ?? 1),
  });
  const embed = site('hook_embed', RESIDUAL);
  return [
    cfg.features === undefined ? { ...embed, table: 'embed.W_E' } : embed,
    ...(cfg.positions === 'learned' ? [site('hook_pos_embed', RESIDUAL)] : []),
    ...Array.from({ length: cfg.depth }, (_, l) =>
      listBlockSites(cfg).map(([name, axes]) => site(`blocks.${l}.${name}`, axes)),
    ).flat(),
    ...listNormSites(cfg, 'ln_final').map(([name, axes]) => site(name, axes)),
    site('ln_final.hook_out', RESIDUAL),
    site('unembed.hook_logits', ['pos', 'd_vocab']),
    site('pooled', ['d_model']),
    site('logits', ['d_vocab']),
  ];
}

type NamedAxes = readonly [name: string, axes: readonly string[]];

function listBlockSites(cfg: Config): readonly NamedAxes[] {
  return [
    ['hook_resid_pre', RESIDUAL],
    ...listNormSites(cfg, 'ln1'),
    ['attn.hook_q', HEADS],
    ['attn.hook_k', HEADS],
    ['attn.hook_v', HEADS],
    ...(cfg.positions === 'rope'
      ? ([
          ['attn.hook_rot_q', HEADS],
          ['attn.hook_rot_k', HEADS],
        ] as const)
      : []),
    ['attn.hook_attn_scores', SCORES],
    ['attn.hook_pattern', SCORES],
    ['attn.hook_z', HEADS],
    ['attn.hook_result', ['pos', 'head', 'd_model']],
    ['hook_attn_out', RESIDUAL],
    ['hook_resid_mid', RESIDUAL],
    ...listNormSites(cfg, 'ln2'),
    ['mlp.hook_pre', NEURONS],
    ...(cfg.mlp === 'swiglu' ? ([['mlp.hook_pre_linear', NEURONS]] as const) : []),
    ['mlp.hook_post', NEURONS],
    ['hook_mlp_out', RESIDUAL],
    ['hook_resid_post', RESIDUAL],
  ];
}

function listNormSites(cfg: Config, name: string): readonly NamedAxes[] {
  if (cfg.norm === 'none') return [];
  return [
    [`${name}.hook_scale`, ['pos', 'scale']],
    [`${name}.hook_normalized`, RESIDUAL],
  ];
}
