/** The places of the model where a value can be read or replaced, after TransformerLens's hooks. */
import type { SiteInfo } from '@grok/core';
import type { Config } from './options.js';

/** Every site in the order in which it is computed, with the shape of one row's value. */
export function sitesOf(c: Config): readonly SiteInfo[] {
  const resid = [c.length, c.dim];
  const head = [c.length, c.heads, c.dHead];
  const square = [c.heads, c.length, c.length];
  const hidden = [c.length, c.dMlp];
  const blocks = Array.from({ length: c.depth }, (_, l) =>
    (
      [
        ['hook_resid_pre', resid],
        ['attn.hook_q', head],
        ['attn.hook_k', head],
        ['attn.hook_v', head],
        ...(c.positions === 'rope'
          ? ([
              ['attn.hook_rot_q', head],
              ['attn.hook_rot_k', head],
            ] as const)
          : []),
        ['attn.hook_attn_scores', square],
        ['attn.hook_pattern', square],
        ['hook_attn_out', resid],
        ['hook_resid_mid', resid],
        ['mlp.hook_pre', hidden],
        ...(c.mlp === 'swiglu' ? ([['mlp.hook_pre_linear', hidden]] as const) : []),
        ['mlp.hook_post', hidden],
        ['hook_mlp_out', resid],
        ['hook_resid_post', resid],
      ] as const
    ).map(([name, shape]) => ({ name: `blocks.${l}.${name}`, shape })),
  );
  return [
    { name: 'hook_embed', shape: resid, ...(c.features === undefined && { table: 'embed.W_E' }) },
    ...blocks.flat(),
    { name: 'ln_final.hook_out', shape: resid },
    { name: 'pooled', shape: [c.dim] },
    { name: 'logits', shape: [c.vocabulary] },
  ];
}
