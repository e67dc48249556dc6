/**
 * A model whose values can be read and replaced, after TransformerLens's `HookedTransformer`
 * (`run_with_cache`, `run_with_hooks`), through core's `Model` contract alone: any model, any backend.
 */
import {
  type Backend,
  type HostArray,
  type HostParams,
  type Model,
  rng,
  type Site,
  type SiteInfo,
  sizeOf,
} from '@grok/core';
import { matchNames, reader, takeRows } from '@grok/core/internal';
import { type Hook, planHooks, type ResolvedHook, type SiteHook } from './hooks.js';
import { type LabeledBatch, type Metric, meanMetric } from './metrics.js';
import { type BoundModel, createPasses } from './passes.js';
import { findSite } from './sites.js';

/** Activations by site, `[rows, …]`. */
export type ActivationCache = Readonly<Record<Site, HostArray>>;
/** The result of a forward pass. */
export interface HookedResult {
  /** `[rows, d_vocab]`. */
  readonly logits: HostArray;
  readonly cache: ActivationCache;
}
/** A model with its parameters, on a backend. */
export interface HookedModel {
  readonly backend: Backend;
  readonly model: Model;
  readonly params: HostParams;
  readonly sites: readonly SiteInfo[];
  /**
   * Returns logits and the activations at sites (default: all), given by name or by patterns such as
   * `blocks.*.attn.hook_z`.
   * @throws InputError on an unknown site or on tokens outside the vocabulary.
   */
  runWithCache(inputs: HostArray, sites?: readonly string[]): Promise<HookedResult>;
  /** Like `runWithCache`, with hooks. Only the named sites are read, after their hooks. */
  runWithHooks(
    inputs: HostArray,
    hooks: readonly Hook[],
    sites?: readonly string[],
  ): Promise<HookedResult>;
  /** Mean of a metric over rows, with hooks. @throws InputError if it is not finite for a row. */
  measure(batch: LabeledBatch, metric: Metric, hooks?: readonly Hook[]): Promise<number>;
  /** As `runWithHooks`, with the mean of a metric over the rows from the same pass. */
  runAndMeasure(
    batch: LabeledBatch,
    metric: Metric,
    hooks?: readonly Hook[],
    sites?: readonly string[],
  ): Promise<HookedResult & { readonly value: number }>;
  /** Gradients of the metric, summed over rows, with respect to the activations at sites, `[rows, …]`. */
  gradients(
    batch: LabeledBatch,
    metric: Metric,
    sites: readonly string[],
    hooks?: readonly Hook[],
  ): Promise<ActivationCache>;
  /** Number of compiled passes so far. */
  readonly compiled: number;
  /** Frees the compiled passes. */
  dispose(): void;
}

/**
 * A model with hooks, for any rows; shortcuts that rely on the task's rows are off. `params` are the model's
 * own, without those of objectives.
 */
export function hookModel(bound: BoundModel): HookedModel {
  const { backend, model, params } = bound;
  const sites = model.sites();
  const names = sites.map(({ name }) => name);
  const passes = createPasses(bound);
  const valuesAt = async (site: Site, inputs: HostArray): Promise<HostArray> => {
    const found = await passes.run({ hooks: [], sites: [findSite(sites, site).name] }, { inputs });
    return reader('site', found)(`sites/${site}`);
  };
  const resolve = createResolver(valuesAt);
  const plan = async (hooks: readonly Hook[], inputs: HostArray): Promise<readonly SiteHook[]> =>
    planHooks(
      sites,
      await Promise.all(hooks.map((hook) => resolve(hook, inputs))),
      inputs.shape[0] ?? 0,
    );
  const pickSites = (
    found: Readonly<Record<string, HostArray>>,
    wanted: readonly Site[],
  ): ActivationCache => {
    const read = reader('site', found);
    return Object.fromEntries(wanted.map((site) => [site, read(`sites/${site}`)]));
  };
  async function runWithHooks(
    inputs: HostArray,
    hooks: readonly Hook[],
    patterns: readonly string[] = [],
  ): Promise<HookedResult> {
    const wanted = matchNames('site', patterns, names);
    const pass = { hooks: await plan(hooks, inputs), sites: [...new Set([...wanted, 'logits'])] };
    const found = await passes.run(pass, { inputs });
    return { logits: reader('site', found)('sites/logits'), cache: pickSites(found, wanted) };
  }
  return {
    ...{ backend, model, params, sites },
    runWithHooks,
    runWithCache: (inputs, patterns = names) => runWithHooks(inputs, [], patterns),
    async measure(batch, metric, hooks = []) {
      const found = await passes.run(
        { hooks: await plan(hooks, batch.inputs), sites: [], metric },
        batch,
      );
      return meanMetric(metric, Float32Array.from(reader('output', found)('metric').data));
    },
    async runAndMeasure(batch, metric, hooks = [], patterns = []) {
      const wanted = matchNames('site', patterns, names);
      const sites = [...new Set([...wanted, 'logits'])];
      const found = await passes.run(
        { hooks: await plan(hooks, batch.inputs), sites, metric },
        batch,
      );
      const read = reader('output', found);
      return {
        value: meanMetric(metric, Float32Array.from(read('metric').data)),
        logits: read('sites/logits'),
        cache: pickSites(found, wanted),
      };
    },
    async gradients(batch, metric, patterns, hooks = []) {
      const wanted = matchNames('site', patterns, names);
      const pass = {
        hooks: await plan(hooks, batch.inputs),
        sites: wanted,
        metric,
        gradients: true,
      } as const;
      return pickSites(await passes.run(pass, batch), wanted);
    },
    get compiled() {
      return passes.compiled;
    },
    dispose: passes.dispose,
  };
}

type ValuesAt = (site: Site, inputs: HostArray) => Promise<HostArray>;

/** Gives ablations their values; means of the same rows are taken once. */
function createResolver(
  valuesAt: ValuesAt,
): (hook: Hook, inputs: HostArray) => Promise<ResolvedHook> {
  const means = new WeakMap<HostArray, Map<Site, Promise<HostArray>>>();
  const computeMean = (site: Site, over: HostArray): Promise<HostArray> => {
    const known = means.get(over) ?? new Map<Site, Promise<HostArray>>();
    const mean = known.get(site) ?? valuesAt(site, over).then(meanRow);
    means.set(over, known.set(site, mean));
    return mean;
  };
  return async (hook, inputs) => {
    if (!('ablate' in hook)) return hook;
    const { ablate, over = inputs, seed = 0, ...where } = hook;
    if (ablate === 'zero') return { ...where, replace: 0 };
    if (ablate === 'mean') return { ...where, replace: await computeMean(where.site, over) };
    const values = await valuesAt(where.site, over);
    return { ...where, replace: otherRows(values, inputs.shape[0] ?? 0, seed) };
  };
}

/** Rows of values in an order drawn from a seed, again from the first where there are not enough. */
function otherRows(values: HostArray, rows: number, seed: number): HostArray {
  const order = rng(seed)
    .split('resample')
    .permutation(values.shape[0] ?? 0);
  const taken = Array.from({ length: rows }, (_, row) => order[row % order.length] ?? 0);
  return takeRows(values, taken);
}

function meanRow({ data, shape }: HostArray): HostArray {
  const [rows = 1, ...rest] = shape;
  const sums = new Float64Array(sizeOf(rest));
  for (const [i, value] of data.entries())
    sums[i % sums.length] = (sums[i % sums.length] ?? 0) + value;
  return {
    data: Float32Array.from(sums, (sum) => sum / rows),
    shape: [1, ...rest],
    dtype: 'float32',
  };
}
