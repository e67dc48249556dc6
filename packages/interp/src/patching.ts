/**
 * Activation patching (Meng et al. 2022; the sweeps of TransformerLens's `patching`), attribution patching
 * (Nanda 2023: its first-order estimate from one backward pass), and path patching (Wang et al. 2022).
 */
import { type HostArray, InputError, type SiteInfo, sizeOf } from '@grok/core';
import { reader } from '@grok/core/internal';
import type { ActivationCache, HookedModel } from './hooked-model.js';
import type { Hook } from './hooks.js';
import { type Metric, metricName } from './metrics.js';
import type { PatchingPairs } from './pairs.js';
import { findSite, getActName, selectionMask, type Where } from './sites.js';

/** A grid of metric values, one per patched part of the model. */
export interface PatchingGrid {
  /** Short name of the activation, such as `z`. */
  readonly activation: string;
  readonly axes: readonly ('layer' | 'head' | 'position')[];
  readonly shape: readonly number[];
  /** The metric of the corrupted run with each part patched, row-major. */
  readonly values: readonly number[];
  /** The metric of the clean and of the corrupted run: 1 and 0 of `normalized`. */
  readonly clean: number;
  readonly corrupted: number;
  /** `(value − corrupted) / (clean − corrupted)`. */
  readonly normalized: readonly number[];
}
/** Options of a patching sweep. */
export interface SweepOptions extends PatchingPairs {
  /**
   * Short name of the activation: `resid_pre`, `resid_mid`, `resid_post`, `attn_out`, `mlp_out`, `q`, `k`, `v`,
   * `z`, `pattern`, or any other site of a block.
   */
  readonly activation: string;
  /** Default `logitDifference`. */
  readonly metric?: Metric;
}

/** Axes of a site that a sweep goes over, besides layers. */
const SWEPT = [
  ['head', 'head'],
  ['pos', 'position'],
] as const;

/** The parts of a model that a sweep patches, in the order of its grid. */
interface Sweep {
  readonly axes: PatchingGrid['axes'];
  readonly shape: readonly number[];
  readonly parts: readonly Where[];
}

function planSweep({ model, sites }: HookedModel, activation: string): Sweep {
  const { layers } = model.shape;
  const infos = Array.from({ length: layers }, (_, layer) =>
    findSite(sites, getActName(activation, layer)),
  );
  const first = infos[0];
  const axes = SWEPT.filter(([axis]) => first?.axes.includes(axis));
  const sizes = axes.map(([axis]) => first?.shape[first.axes.indexOf(axis)] ?? 1);
  const cells = sizeOf(sizes);
  const parts = infos.flatMap(({ name }) =>
    Array.from({ length: cells }, (_, cell): Where => {
      const at = axes.map(([, key], i) => [
        key,
        Math.floor(cell / sizeOf(sizes.slice(i + 1))) % (sizes[i] ?? 1),
      ]);
      return { site: name, ...Object.fromEntries(at) };
    }),
  );
  return { axes: ['layer', ...axes.map(([, key]) => key)], shape: [layers, ...sizes], parts };
}

/** What every sweep begins with. */
interface Begun {
  readonly metric: Metric;
  readonly sweep: Sweep;
  /** The metric of the clean run, and of the corrupted one. */
  readonly clean: number;
  readonly corrupted: number;
  /** The clean run's activations. */
  readonly cache: ActivationCache;
}

/** Plans a sweep and runs the clean and the corrupted rows. */
async function beginSweep(model: HookedModel, options: SweepOptions): Promise<Begun> {
  const { clean, corrupted, activation, metric = 'logitDifference' } = options;
  const sweep = planSweep(model, activation);
  checkPairs(clean.inputs, corrupted);
  const sites = [...new Set(sweep.parts.map(({ site }) => site))];
  const { value, cache } = await model.runAndMeasure(clean, metric, [], sites);
  const other = await model.measure({ ...clean, inputs: corrupted }, metric);
  if (value === other)
    throw new InputError(
      `metric "${metricName(metric)}": is ${value} on clean and corrupted rows alike, so there is nothing to restore; choose other rows or another metric`,
    );
  return { metric, sweep, clean: value, corrupted: other, cache };
}

function checkPairs(clean: HostArray, corrupted: HostArray): void {
  if (clean.shape.join() !== corrupted.shape.join())
    throw new InputError(
      `pairs: clean and corrupted inputs must have the same shape, got [${clean.shape}] and [${corrupted.shape}]`,
    );
}

function buildGrid(
  activation: string,
  { sweep: { axes, shape }, clean, corrupted }: Begun,
  values: readonly number[],
): PatchingGrid {
  const normalized = values.map((value) => (value - corrupted) / (clean - corrupted));
  return { activation, axes, shape, values, clean, corrupted, normalized };
}

/**
 * Runs the corrupted rows, patching in one part of the clean activations at a time, over layers, heads and
 * positions.
 * @throws InputError on an unknown activation, on a metric that is not finite, or if clean and corrupted rows
 * have the same metric.
 */
export async function activationPatching(
  model: HookedModel,
  options: SweepOptions,
): Promise<PatchingGrid> {
  const { clean, corrupted, activation } = options;
  const begun = await beginSweep(model, options);
  const { metric, sweep } = begun;
  const cached = reader('site', begun.cache);
  const values: number[] = [];
  for (const part of sweep.parts)
    values.push(
      await model.measure({ ...clean, inputs: corrupted }, metric, [
        { ...part, replace: cached(part.site) },
      ]),
    );
  return buildGrid(activation, begun, values);
}

/**
 * First-order estimate of `activationPatching` from one backward pass: the corrupted metric plus the gradient
 * times the difference between clean and corrupted activations.
 */
export async function attributionPatching(
  model: HookedModel,
  options: SweepOptions,
): Promise<PatchingGrid> {
  const { clean, corrupted, activation } = options;
  const begun = await beginSweep(model, options);
  const { metric, sweep } = begun;
  const sites = Object.keys(begun.cache);
  const { cache } = await model.runWithCache(corrupted, sites);
  const gradients = await model.gradients({ ...clean, inputs: corrupted }, metric, sites);
  const rows = clean.labels.length;
  const values = sweep.parts.map((part) => {
    const info = findSite(model.sites, part.site);
    const at = (values: ActivationCache): HostArray => reader('site', values)(part.site);
    const change = firstOrder(info, part, at(gradients), at(begun.cache), at(cache)) / rows;
    return begun.corrupted + change;
  });
  return buildGrid(activation, begun, values);
}

/** Σ gradient · (clean − corrupted) over the selected part of all rows. */
function firstOrder(
  info: SiteInfo,
  part: Where,
  gradient: HostArray,
  clean: HostArray,
  corrupted: HostArray,
): number {
  const mask = selectionMask(info, part);
  let sum = 0;
  for (const [i, slope] of gradient.data.entries())
    sum += slope * ((clean.data[i] ?? 0) - (corrupted.data[i] ?? 0)) * (mask[i % mask.length] ?? 0);
  return sum;
}

/** A path from one component of a model to others. */
export interface PathOptions extends PatchingPairs {
  readonly sender: Where;
  /** The receivers: inputs of heads, such as `q` of one head, or the last `resid_post`. */
  readonly receivers: readonly Where[];
  /** Whether the sender's effect may pass through MLPs (default true, as in Wang et al. 2022). */
  readonly throughMlps?: boolean;
  readonly metric?: Metric;
}

/**
 * The metric of the corrupted run if only the receivers see the sender's clean value; heads between them, and
 * MLPs unless `throughMlps`, keep their corrupted values.
 * @throws InputError on unknown components.
 */
export async function pathPatching(
  model: HookedModel,
  {
    clean,
    corrupted,
    sender,
    receivers,
    throughMlps = true,
    metric = 'logitDifference',
  }: PathOptions,
): Promise<number> {
  checkPairs(clean.inputs, corrupted);
  const frozenSites = Array.from({ length: model.model.shape.layers }, (_, layer) => [
    getActName('z', layer),
    ...(throughMlps ? [] : [getActName('mlp_out', layer)]),
  ]).flat();
  const source = await model.runWithCache(clean.inputs, [sender.site]);
  const base = await model.runWithCache(corrupted, frozenSites);
  const hooks: readonly Hook[] = [
    ...frozenSites.map((site): Hook => ({ site, replace: reader('site', base.cache)(site) })),
    { ...sender, replace: reader('site', source.cache)(sender.site) },
  ];
  const reached = [...new Set(receivers.map(({ site }) => site))];
  const { cache } = await model.runWithHooks(corrupted, hooks, reached);
  return model.measure(
    { ...clean, inputs: corrupted },
    metric,
    receivers.map((receiver) => ({ ...receiver, replace: reader('site', cache)(receiver.site) })),
  );
}
