/**
 * Model transforms: parameters read through a function (masks, fake quantization) and values
 * replaced at sites, around any model and without changes to it. An experiment lists them under
 * `transforms`; each is a component of kind `transform`.
 */

import type * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import type { HostArray, HostParams, Model, ModelTransform, Site } from '../contracts/types.js';
import { type Component, defineTransform } from '../plugins/define.js';
import { number, schema, text } from '../plugins/options.js';
import { matchNames } from './patterns.js';

type Tap = (value: tf.Tensor) => tf.Tensor;

/**
 * Returns a model that reads each parameter through `params` (differentiable, shape unchanged) and passes its
 * sites through `taps`, before the taps of a caller of `apply`.
 */
export function transformModel(
  model: Model,
  {
    params,
    taps = {},
  }: {
    readonly params?: (name: string, value: tf.Tensor) => tf.Tensor;
    readonly taps?: Readonly<Record<Site, Tap>>;
  },
): Model {
  const isTable = (site: Site): boolean => params === undefined && taps[site] === undefined;
  return {
    shape: model.shape,
    keepProbability: model.keepProbability,
    init: (rng) => model.init(rng),
    dropoutMaskShapes: (batch) => model.dropoutMaskShapes(batch),
    // A site's `table` is removed, since code that reads the parameter directly would see it
    // untransformed.
    sites: () =>
      model
        .sites()
        .map(({ table, ...site }) =>
          table !== undefined && isTable(site.name) ? { ...site, table } : site,
        ),
    apply(read, inputs, how) {
      const created = new Map<string, tf.Tensor>();
      const transformed = (name: string): tf.Tensor => {
        const value = created.get(name) ?? params?.(name, read(name)) ?? read(name);
        created.set(name, value);
        return value;
      };
      const merged = mergeTaps(taps, how.taps ?? {});
      return model.apply(params === undefined ? read : transformed, inputs, {
        ...how,
        ...(Object.keys(merged).length > 0 ? { taps: merged } : {}),
      });
    },
  };
}

/** Combines two sets of taps, `first` first. */
function mergeTaps(
  first: Readonly<Record<Site, Tap>>,
  second: Readonly<Record<Site, Tap>>,
): Readonly<Record<Site, Tap>> {
  const both = Object.entries(second).map(([site, tap]): [Site, Tap] => {
    const before = first[site];
    return [site, before === undefined ? tap : (value) => tap(before(value))];
  });
  return { ...first, ...Object.fromEntries(both) };
}

/**
 * Applies transforms so that parameters pass through them in list order (and values at sites in
 * reverse order); `initial` returns the run's initial parameters.
 */
export function applyTransforms(
  model: Model,
  transforms: readonly ModelTransform[],
  initial: () => HostParams,
): Model {
  return transforms.reduceRight((inner, transform) => transform(inner, { initial }), model);
}

/**
 * Sets the weights with the smallest initial values of each matrix to 0 and keeps them there
 * (magnitude pruning, Han et al. 2015, at initialization). Vectors are unchanged.
 */
export const pruneMagnitude: Component<'transform', { fraction?: number; match?: string }> =
  defineTransform({
    name: 'prune-magnitude',
    summary: 'Sets the smallest initial weights of each matrix to 0 and keeps them at 0.',
    options: schema({
      fraction: number().gt(0).lt(1).default(0.5).describe('share of weights to prune'),
      match: text().default('*').describe('pattern of the parameters to prune'),
    }),
    create:
      ({ fraction, match }, { tf }) =>
      (model, { initial }) => {
        const params = initial();
        const masks = new Map(
          matchNames('parameter to prune', [match], Object.keys(params)).flatMap((name) => {
            const array = params[name];
            if (array === undefined || array.shape.length < 2) return [];
            return [[name, magnitudeMask(array, fraction)] as const];
          }),
        );
        if (masks.size === 0)
          throw new InputError(
            `transform "prune-magnitude": its pattern must match at least one matrix, got "${match}", which matches only vectors; use a wider pattern`,
          );
        return transformModel(model, {
          params(name, value) {
            const mask = masks.get(name);
            return mask === undefined ? value : tf.mul(value, tf.tensor(mask, value.shape));
          },
        });
      },
  });

/** A mask that is 0 for the given fraction of smallest absolute values and 1 elsewhere; among equal values, the first are 0. */
function magnitudeMask({ data }: HostArray, fraction: number): Float32Array {
  const sizes = Float32Array.from(data, Math.abs);
  const order = [...sizes.keys()].sort((i, j) => (sizes[i] ?? 0) - (sizes[j] ?? 0) || i - j);
  const mask = new Float32Array(sizes.length).fill(1);
  for (const i of order.slice(0, Math.floor(sizes.length * fraction))) mask[i] = 0;
  return mask;
}
