/**
 * Hooks: what a forward pass computes with in place of the values at sites. All but functions are affine
 * maps of the value, whose coefficients are inputs of the compiled pass: a sweep over positions, heads or
 * neurons compiles once a site.
 */
import { type HostArray, InputError, type Site, type SiteInfo, sizeOf } from '@grok/core';
import type * as tf from '@grok/tfjs';
import { findSite, selectionMask, type Where } from './sites.js';

/** A function of a site's value in differentiable tfjs: `[batch, …]` → the same shape. */
export type HookFunction = (value: tf.Tensor) => tf.Tensor;
/** A change of the activation at a site, or at a part of it. Hooks on the same site apply in order. */
export type Hook = Where &
  (
    | {
        /** A number, or an array `[rows, …]` or `[1, …]` with the shape of the whole site. */ readonly replace:
          | HostArray
          | number;
      }
    | { /** As `replace`. */ readonly add: HostArray | number }
    | { readonly scale: number }
    | {
        /** Replaces the value by 0, by its mean over rows, or by its value on another row. */
        readonly ablate: 'zero' | 'mean' | 'resample';
        /** Rows `[n, …]` for means and resampling; default: the inputs of the pass. */
        readonly over?: HostArray;
        /** Seed of resampling (default 0). */
        readonly seed?: number;
      }
    | {
        /**
         * A function of the whole site; `position`, `head` and the like select which part of its result is
         * used.
         */ readonly apply: HookFunction;
      }
  );
/** A hook whose values are all at hand. */
export type ResolvedHook = Where &
  (
    | { readonly replace: HostArray | number }
    | { readonly add: HostArray | number }
    | { readonly scale: number }
    | { readonly apply: HookFunction }
  );

/** `value · scale + shift`, one row's scale, and shifts of one row or of all. */
interface Affine {
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}
/** What happens to one site's value: affine maps, and functions with the mask that they apply to. */
export interface SiteHook {
  readonly info: SiteInfo;
  readonly stages: readonly (
    | Affine
    | { readonly apply: HookFunction; readonly mask: Float32Array }
  )[];
}

/** Hooks by site, neighboring affine maps as one. @throws InputError on unknown sites, bad indices and values of other shapes. */
export function planHooks(
  sites: readonly SiteInfo[],
  hooks: readonly ResolvedHook[],
  rows: number,
): readonly SiteHook[] {
  const bySite = new Map<Site, SiteHook>();
  for (const hook of hooks) {
    const info = findSite(sites, hook.site);
    const mask = selectionMask(info, hook);
    const stages = bySite.get(hook.site)?.stages ?? [];
    const last = stages.at(-1);
    const next = 'apply' in hook ? { apply: hook.apply, mask } : readAffine(info, hook, mask, rows);
    const merged =
      last !== undefined && !('apply' in last) && !('apply' in next)
        ? [...stages.slice(0, -1), joinAffine(last, next)]
        : [...stages, next];
    bySite.set(hook.site, { info, stages: merged });
  }
  return [...bySite.values()];
}

function readAffine(
  info: SiteInfo,
  hook: Exclude<ResolvedHook, { readonly apply: HookFunction }>,
  mask: Float32Array,
  rows: number,
): Affine {
  if ('scale' in hook)
    return {
      scale: mask.map((m) => 1 + m * (hook.scale - 1)),
      shift: new Float32Array(mask.length),
    };
  const given = 'replace' in hook ? hook.replace : hook.add;
  const value = readValue(info, given, rows);
  return {
    scale: mask.map((m) => ('replace' in hook ? 1 - m : 1)),
    // What is not selected must not let an infinity in.
    shift: value.map((v, i) => (mask[i % mask.length] === 0 ? 0 : v)),
  };
}

function readValue(info: SiteInfo, given: HostArray | number, rows: number): Float32Array {
  const size = sizeOf(info.shape);
  if (typeof given === 'number') return new Float32Array(size).fill(given);
  const [first = 0, ...rest] = given.shape;
  if (rest.join() !== info.shape.join() || (first !== 1 && first !== rows))
    throw new InputError(
      `site "${info.name}": a value must be [${[rows, ...info.shape]}] or [${[1, ...info.shape]}], got [${given.shape}]`,
    );
  return Float32Array.from(given.data);
}

function joinAffine(first: Affine, second: Affine): Affine {
  const size = first.scale.length;
  const length = Math.max(first.shift.length, second.shift.length);
  const at = (values: Float32Array, i: number): number => values[i % values.length] ?? 0;
  return {
    scale: first.scale.map((s, i) => s * at(second.scale, i)),
    shift: Float32Array.from(
      { length },
      (_, i) => at(second.scale, i % size) * at(first.shift, i) + at(second.shift, i),
    ),
  };
}
