/**
 * Circuits: sets of heads, MLPs and neurons that keep a given share of a metric when all else is ablated
 * (Wang et al. 2022, section 4: faithful and minimal). The search goes backwards: it drops components from
 * the least important on, keeps a drop only if the exact metric of what is left allows it, and ends when no
 * single component can be spared (1-minimality).
 */
import { InputError } from '@grok/core';
import { reader } from '@grok/core/internal';
import {
  ablationHooks,
  type CircuitComponent,
  type ComponentKind,
  listCircuitComponents,
  readPart,
} from './components.js';
import { createEvaluator, type Evaluations, type Evaluator } from './evaluator.js';
import type { HookedModel } from './hooked-model.js';
import { type LabeledBatch, type Metric, metricName } from './metrics.js';
import { findSite, selectionMask } from './sites.js';

/** Options of `findCircuit`. */
export interface CircuitOptions {
  /** Rows over which the metric and mean activations are averaged. */
  readonly batch: LabeledBatch;
  /** Default `logitDifference`. */
  readonly metric?: Metric;
  /**
   * Share (0–1) of the metric that the circuit must keep: 1 is the whole model, 0 the model with all components
   * ablated. Default .9.
   */
  readonly keep?: number;
  /** Default heads and neurons. */
  readonly kinds?: readonly ComponentKind[];
  /** Ablation of components outside the circuit: mean over the rows (default), or zero. */
  readonly ablate?: 'mean' | 'zero';
  /**
   * Importance from exact single ablations (default), or from gradient times activation in one backward pass.
   */
  readonly order?: 'exact' | 'attribution';
}
/**
 * A component with the share of the metric that is lost when it alone is ablated; with `attribution`, an
 * estimate of it.
 */
export interface ScoredComponent extends CircuitComponent {
  readonly effect: number;
}
/** The result of a circuit search. */
export interface Circuit {
  readonly members: readonly ScoredComponent[];
  /** All components that were considered. */
  readonly components: readonly ScoredComponent[];
  /** The metric of the whole model, and of the model with all components ablated. */
  readonly full: number;
  readonly ablated: number;
  /** The share of the metric that the members keep, from an exact forward pass. */
  readonly share: number;
  readonly keep: number;
  /** The share that remains without each member; all are below `keep`. */
  readonly without: Readonly<Record<string, number>>;
  /** Exact evaluations: forward passes, and rank-1 updates of the logits. */
  readonly evaluations: Evaluations;
}

/**
 * Finds a circuit.
 * @throws InputError if ablating everything does not change the metric, if a value is not finite, or if options
 * are out of range.
 */
export async function findCircuit(model: HookedModel, options: CircuitOptions): Promise<Circuit> {
  const { keep = 0.9, kinds = ['head', 'neuron'], metric = 'logitDifference' } = options;
  if (!(keep > 0 && keep <= 1))
    throw new InputError(`circuit: keep must be above 0 and at most 1, got ${keep}`);
  const components = listCircuitComponents(model, kinds);
  const evaluator = await createEvaluator(model, components, { ...options, metric });
  try {
    const full = await evaluator.measure(new Set());
    const ablated = await evaluator.measure(new Set(components.map(({ name }) => name)));
    if (full === ablated)
      throw new InputError(
        `circuit: metric "${metricName(metric)}" is ${full} with and without all components; choose another metric or other kinds`,
      );
    const toShare = (value: number): number => (value - ablated) / (full - ablated);
    const scored = await scoreComponents(model, components, evaluator, options, toShare);
    const search = { scored, keep, evaluator, toShare };
    const { dropped, without } = await dropSingly(search, await dropMany(search));
    const share = toShare(await evaluator.measureInFull(dropped));
    const members = scored.filter(({ name }) => !dropped.has(name));
    return {
      ...{ members, components: scored, full, ablated, share, keep, without },
      evaluations: evaluator.evaluations(),
    };
  } finally {
    evaluator.dispose();
  }
}

/** Components with their effects, the least important first. */
async function scoreComponents(
  model: HookedModel,
  components: readonly CircuitComponent[],
  evaluator: Evaluator,
  options: CircuitOptions,
  toShare: (value: number) => number,
): Promise<readonly ScoredComponent[]> {
  const scored: ScoredComponent[] = [];
  if (options.order === 'attribution') {
    const estimates = await attribute(model, components, options);
    const unit = toShare(1) - toShare(0);
    scored.push(...components.map((it, i) => ({ ...it, effect: (estimates[i] ?? 0) * unit })));
  } else
    for (const component of components) {
      const value = await evaluator.measure(new Set([component.name]));
      scored.push({ ...component, effect: 1 - toShare(value) });
    }
  return scored.sort((a, b) => a.effect - b.effect);
}

/** First-order estimates of what each component's ablation takes from the metric: the mean over rows of gradient · (value − ablated value). */
async function attribute(
  model: HookedModel,
  components: readonly CircuitComponent[],
  { batch, metric = 'logitDifference', ablate = 'mean' }: CircuitOptions,
): Promise<readonly number[]> {
  const sites = [...new Set(components.map(({ kind, layer }) => readPart(kind, layer, []).site))];
  const gradients = reader('site', await model.gradients(batch, metric, sites));
  const { cache } = await model.runWithCache(batch.inputs, sites);
  const hooks = ablationHooks(components, new Set(components.map(({ name }) => name)), ablate);
  const { cache: replaced } = await model.runWithHooks(batch.inputs, hooks, sites);
  const products = new Map(
    sites.map((site) => {
      const [slopes, values, others] = [
        gradients(site),
        reader('site', cache)(site),
        reader('site', replaced)(site),
      ];
      const [rows = 1] = slopes.shape;
      const sums = new Float64Array(slopes.data.length / rows);
      for (const [i, slope] of slopes.data.entries()) {
        const change = slope * ((values.data[i] ?? 0) - (others.data[i] ?? 0));
        sums[i % sums.length] = (sums[i % sums.length] ?? 0) + change / rows;
      }
      return [site, sums] as const;
    }),
  );
  return components.map(({ kind, layer, index }) => {
    const part = readPart(kind, layer, [index]);
    const sums = products.get(part.site) ?? new Float64Array();
    const mask = selectionMask(findSite(model.sites, part.site), part);
    return sums.reduce((sum, value, i) => sum + value * (mask[i] ?? 0), 0);
  });
}

interface Search {
  /** The least important first. */
  readonly scored: readonly ScoredComponent[];
  readonly keep: number;
  readonly evaluator: Evaluator;
  readonly toShare: (value: number) => number;
}

/** Drops as many of the least important together as a bisection finds; each set that it takes is evaluated exactly. */
async function dropMany({
  scored,
  keep,
  evaluator,
  toShare,
}: Search): Promise<ReadonlySet<string>> {
  const first = (n: number): ReadonlySet<string> =>
    new Set(scored.slice(0, n).map(({ name }) => name));
  let [least, most] = [0, scored.length];
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (toShare(await evaluator.measureInFull(first(middle))) >= keep) least = middle;
    else most = middle;
  }
  return first(least);
}

/** Drops one at a time, over and over, until none can be spared. */
async function dropSingly(
  { scored, keep, evaluator, toShare }: Search,
  begun: ReadonlySet<string>,
): Promise<{
  readonly dropped: ReadonlySet<string>;
  readonly without: Readonly<Record<string, number>>;
}> {
  const dropped = new Set(begun);
  for (;;) {
    const before = dropped.size;
    const without: Record<string, number> = {};
    for (const { name } of scored) {
      if (dropped.has(name)) continue;
      const share = toShare(await evaluator.measure(new Set([...dropped, name])));
      if (share >= keep) dropped.add(name);
      else without[name] = share;
    }
    if (dropped.size === before) return { dropped, without };
  }
}
