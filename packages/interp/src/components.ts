/** What circuits are made of: attention heads, MLPs and neurons, each with the part of a site that it is. */
import { InputError, type SiteInfo, unknownName } from '@grok/core';
import type { HookedModel } from './hooked-model.js';
import type { Hook } from './hooks.js';
import { findSite, getActName, type Where } from './sites.js';

/** Kinds of components; a search covers heads and MLPs, or heads and neurons. */
export type ComponentKind = 'head' | 'mlp' | 'neuron';
/** A head, an MLP or a neuron. */
export interface CircuitComponent {
  /** `L0H1`, `L0MLP`, `L0N37`. */
  readonly name: string;
  readonly kind: ComponentKind;
  readonly layer: number;
  /** Index of the head or neuron in its layer; 0 for an MLP. */
  readonly index: number;
}

const SITES: Readonly<Record<ComponentKind, string>> = {
  head: 'z',
  mlp: 'mlp_out',
  neuron: 'post',
};
const AXES: Readonly<Record<ComponentKind, string>> = { head: 'head', mlp: '', neuron: 'd_mlp' };
const LETTERS: Readonly<Record<ComponentKind, string>> = { head: 'H', mlp: 'MLP', neuron: 'N' };

/** All components of some kinds, layer by layer. @throws InputError on an unknown kind, none, or MLPs together with their neurons. */
export function listCircuitComponents(
  { model, sites }: HookedModel,
  kinds: readonly ComponentKind[],
): readonly CircuitComponent[] {
  for (const kind of kinds)
    if (!Object.hasOwn(SITES, kind))
      throw unknownName('kind of component', kind, Object.keys(SITES));
  if (kinds.length === 0 || (kinds.includes('mlp') && kinds.includes('neuron')))
    throw new InputError(
      `circuit: kinds must be heads and MLPs, or heads and neurons, got ${kinds.join(', ') || 'none'}`,
    );
  return Array.from({ length: model.shape.layers }, (_, layer) =>
    kinds.flatMap((kind) => {
      const count = countParts(findSite(sites, readSite(kind, layer)), kind);
      return Array.from({ length: count }, (_, index) => ({
        name: `L${layer}${LETTERS[kind]}${kind === 'mlp' ? '' : index}`,
        ...{ kind, layer, index },
      }));
    }),
  ).flat();
}

function countParts({ axes, shape }: SiteInfo, kind: ComponentKind): number {
  return kind === 'mlp' ? 1 : (shape[axes.indexOf(AXES[kind])] ?? 0);
}

/** The site whose parts the components of a kind are. */
function readSite(kind: ComponentKind, layer: number): string {
  return getActName(SITES[kind], layer);
}

/** The part of a site that some components of one kind and layer are; of none of them, no part. */
export function readPart(kind: ComponentKind, layer: number, indices: readonly number[]): Where {
  const site = readSite(kind, layer);
  if (kind === 'mlp') return indices.length > 0 ? { site } : { site, position: [] };
  return { site, [kind]: indices };
}

/** Components of one kind and layer: what stands for another is among them. */
export function readGroup({ kind, layer }: CircuitComponent): string {
  return `${kind} ${layer}`;
}

/** Components by kind and layer. */
export function groupComponents(
  all: readonly CircuitComponent[],
): readonly (readonly CircuitComponent[])[] {
  const groups = new Map<string, CircuitComponent[]>();
  for (const component of all) {
    const members = groups.get(readGroup(component)) ?? [];
    members.push(component);
    groups.set(readGroup(component), members);
  }
  return [...groups.values()];
}

/** Hooks that ablate some components of all, one a group, so that every set is the same compiled pass. */
export function ablationHooks(
  all: readonly CircuitComponent[],
  ablated: ReadonlySet<string>,
  ablate: 'mean' | 'zero',
): readonly Hook[] {
  return groupComponents(all).flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const indices = members.filter(({ name }) => ablated.has(name)).map(({ index }) => index);
    return [{ ...readPart(first.kind, first.layer, indices), ablate }];
  });
}
