/** Names of sites as in TransformerLens, and parts of their values: positions, heads, neurons. */
import { InputError, type Site, type SiteInfo, sizeOf, unknownName } from '@grok/core';

/** One or several indices along an axis; negative ones count from the end. */
export type Index = number | readonly number[];
/** A site, or the part of its value at the given indices. */
export interface Where {
  readonly site: Site;
  /** Token positions. */
  readonly position?: Index;
  readonly head?: Index;
  /** Neurons of an MLP. */
  readonly neuron?: Index;
  /** Query positions of attention scores and patterns. */
  readonly query?: Index;
  /** Key positions of attention scores and patterns. */
  readonly key?: Index;
}

const AXES = {
  position: 'pos',
  head: 'head',
  neuron: 'd_mlp',
  query: 'query',
  key: 'key',
} as const;

const IN_ATTENTION = /^(q|k|v|rot_q|rot_k|attn_scores|pattern|z|result)$/;
const IN_MLP = /^(pre|pre_linear|post)$/;

/**
 * The full name of an activation from its short name and layer, like TransformerLens's `get_act_name`:
 * `getActName('z', 0)` is `blocks.0.attn.hook_z`, `getActName('resid_pre', 1)` is `blocks.1.hook_resid_pre`.
 */
export function getActName(name: string, layer?: number): Site {
  if (layer === undefined) return name.includes('.') ? name : `hook_${name}`;
  if (IN_ATTENTION.test(name)) return `blocks.${layer}.attn.hook_${name}`;
  if (IN_MLP.test(name)) return `blocks.${layer}.mlp.hook_${name}`;
  return `blocks.${layer}.hook_${name}`;
}

/** A site of a list by its name. @throws InputError that lists the known ones and the nearest. */
export function findSite(sites: readonly SiteInfo[], name: Site): SiteInfo {
  const info = sites.find((site) => site.name === name);
  if (info === undefined)
    throw unknownName(
      'site',
      name,
      sites.map((site) => site.name),
    );
  return info;
}

/**
 * One row's value at a site as 1 where it is selected and 0 elsewhere, row-major.
 * @throws InputError on an axis that the site does not have, and on an index outside it.
 */
export function selectionMask(info: SiteInfo, where: Where): Float32Array {
  const mask = new Float32Array(sizeOf(info.shape)).fill(1);
  for (const [name, axis] of Object.entries(AXES)) {
    const chosen = where[name as keyof typeof AXES];
    if (chosen === undefined) continue;
    const at = info.axes.indexOf(axis);
    if (at === -1)
      throw new InputError(
        `site "${info.name}": has no ${name}; its axes are ${info.axes.join(', ')}`,
      );
    const size = info.shape[at] ?? 1;
    const kept = new Set(
      [chosen].flat().map((index) => resolveIndex(info.name, name, index, size)),
    );
    const inner = sizeOf(info.shape.slice(at + 1));
    mask.forEach((_, i) => {
      if (!kept.has(Math.floor(i / inner) % size)) mask[i] = 0;
    });
  }
  return mask;
}

function resolveIndex(site: Site, name: string, index: number, size: number): number {
  const resolved = index < 0 ? size + index : index;
  if (Number.isInteger(resolved) && resolved >= 0 && resolved < size) return resolved;
  throw new InputError(
    `site "${site}": ${name} must be an integer from 0 to ${size - 1} (or −${size} to −1), got ${index}; the nearest is ${index < 0 ? 0 : Math.min(size - 1, Math.max(0, Math.round(index) || 0))}`,
  );
}
