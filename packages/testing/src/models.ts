/** Fake models with sites only: the model info for a strategy, and values to feed it. */
import { type HostArray, type ModelInfo, rng, type Site, type SiteInfo, sizeOf } from '@grok/core';
import { f32 } from './arrays.js';
import { softmax64 } from './reference.js';

/** Sizes of a fake transformer; all have defaults. */
export interface FakeSizes {
  readonly layers?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly length?: number;
  readonly vocabulary?: number;
}

/** Sizes and sites of a model, without the model: 2 blocks, width 8, 2 heads, 4 positions, 7 classes. */
export function fakeModel({
  layers = 2,
  width = 8,
  heads = 2,
  length = 4,
  vocabulary = 7,
}: FakeSizes = {}): ModelInfo {
  type Axes = Omit<SiteInfo, 'name'>;
  const resid: Axes = { shape: [length, width], axes: ['pos', 'd_model'] };
  const head: Axes = { shape: [length, heads, width / heads], axes: ['pos', 'head', 'd_head'] };
  const result: Axes = { shape: [length, heads, width], axes: ['pos', 'head', 'd_model'] };
  const square: Axes = { shape: [heads, length, length], axes: ['head', 'query', 'key'] };
  const hidden: Axes = { shape: [length, 4 * width], axes: ['pos', 'd_mlp'] };
  const block: readonly (readonly [string, Axes])[] = [
    ['hook_resid_pre', resid],
    ['attn.hook_q', head],
    ['attn.hook_k', head],
    ['attn.hook_v', head],
    ['attn.hook_rot_q', head],
    ['attn.hook_rot_k', head],
    ['attn.hook_attn_scores', square],
    ['attn.hook_pattern', square],
    ['attn.hook_z', head],
    ['attn.hook_result', result],
    ['hook_attn_out', resid],
    ['hook_resid_mid', resid],
    ['mlp.hook_pre', hidden],
    ['mlp.hook_pre_linear', hidden],
    ['mlp.hook_post', hidden],
    ['hook_mlp_out', resid],
    ['hook_resid_post', resid],
  ];
  const sites: SiteInfo[] = [
    { name: 'hook_embed', ...resid },
    ...Array.from({ length: layers }, (_, l) =>
      block.map(([name, axes]) => ({ name: `blocks.${l}.${name}`, ...axes })),
    ).flat(),
    { name: 'ln_final.hook_out', ...resid },
    { name: 'pooled', shape: [width], axes: ['d_model'] },
    { name: 'logits', shape: [vocabulary], axes: ['d_vocab'] },
  ];
  return { layers, width, heads, sites };
}

/**
 * Random activations for a site, `[batch, …]`: normal, or positive with sum 1 over keys for attention patterns.
 * @throws if the model has no such site.
 */
export function fakeValue(
  model: ModelInfo,
  site: Site,
  batch: number,
  seed: string | number,
): HostArray {
  const info = model.sites.find(({ name }) => name === site);
  if (info === undefined) throw new Error(`the model has no site "${site}"`);
  const shape = [batch, ...info.shape];
  const draws = rng(5).split(seed).split(site).normal(sizeOf(shape));
  if (info.axes.at(-1) !== 'key') return f32(shape, draws);
  return f32(shape, softmax64({ shape, data: Float64Array.from(draws) }).data);
}
