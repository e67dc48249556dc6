/** A claim's quantity measured on the runs of a folder: one value a seed, or the reason why there is none. */
import type { Json } from '@grok/core';
import { canonicalJson, own, quote } from '@grok/core/internal';
import { type BegunRun, isObject, type JsonObject, nameStrategies, power } from '@grok/study';
import type { PublishedAnalysis } from '../files.js';
import { publishedPath } from '../study.js';
import type { Measure, Quantity } from './claims.js';

/** What claims are tested on. */
export interface Evidence {
  readonly runs: readonly BegunRun[];
  /** By its path in the study, the file of the published layout with the published choices. */
  readonly inside: ReadonlyMap<string, PublishedAnalysis>;
}
/** A value, and the ids of the runs that it comes from. */
export interface Sample {
  readonly value: number;
  readonly runs: readonly string[];
}
/**
 * Samples by override and seed; of a quantity without runs, one. Runs that several overrides share give
 * a sample in each, so that it can be compared with the others there.
 */
export type Measured =
  | { readonly samples: ReadonlyMap<string, Sample> }
  | { readonly lacks: string };

/** Measures a quantity on the finished runs whose experiments contain the setting. */
export function measure(quantity: Quantity, evidence: Evidence, setting: JsonObject): Measured {
  switch (quantity.of) {
    case 'power':
      return { samples: new Map([['', { value: power(quantity.d, quantity.n), runs: [] }]]) };
    case 'ratio':
      return together([quantity.a, quantity.b], evidence, setting, ([a, b]) => a! / b!);
    case 'difference':
      return together([quantity.a, quantity.b], evidence, setting, ([a, b]) => a! - b!);
    case 'max':
      return together(quantity.among, evidence, setting, (all) => Math.max(...all));
    case 'min':
      return together(quantity.among, evidence, setting, (all) => Math.min(...all));
    default:
      return ofRuns(quantity, evidence, setting);
  }
}

function together(
  parts: readonly Quantity[],
  evidence: Evidence,
  setting: JsonObject,
  of: (values: readonly number[]) => number,
): Measured {
  const all = parts.map((part) => measure(part, evidence, setting));
  const lacking = all.find((found) => 'lacks' in found);
  if (lacking !== undefined) return lacking;
  const maps = all.flatMap((found) => ('samples' in found ? [found.samples] : []));
  const seeds = [...(maps[0]?.keys() ?? [])];
  const whole = seeds.flatMap((seed) => {
    const own = maps.flatMap((map) => map.get(seed) ?? []);
    const runs = own.flatMap((sample) => sample.runs);
    return own.length < maps.length
      ? []
      : [[seed, { value: of(own.map(({ value }) => value)), runs }] as const];
  });
  if (whole.length === 0) return { lacks: 'no seed has all of its runs' };
  // What never came about on both sides has no ratio and no difference.
  const known = whole.filter(([, { value }]) => !Number.isNaN(value));
  return known.length === 0
    ? { lacks: 'no seed came to both of its ends' }
    : { samples: new Map(known) };
}

type OfRuns = Exclude<Quantity, { of: 'power' | 'ratio' | 'difference' | 'max' | 'min' }>;

function ofRuns(quantity: OfRuns, evidence: Evidence, setting: JsonObject): Measured {
  const named = evidence.runs.filter((run) => isCalled(run, quantity.run));
  const finished = named.filter(({ manifest }) => manifest.status === 'finished');
  const fitting = finished.filter(({ config }) => contains(config.experiment, setting));
  if (named.length === 0) return { lacks: `no run ${quote(quantity.run)}` };
  if (finished.length === 0) return { lacks: `no run ${quote(quantity.run)} is finished` };
  if (fitting.length === 0)
    return { lacks: `no run ${quote(quantity.run)} with ${JSON.stringify(setting)}` };
  const samples = new Map<string, Sample>();
  let lacks = '';
  for (const run of fitting) {
    const value = valueIn(quantity, run, evidence);
    const key = `${run.override ?? ''}@${run.seed}`;
    if (typeof value !== 'number') lacks = value;
    else if (!samples.has(key)) samples.set(key, { value, runs: [run.run] });
  }
  return samples.size === 0 ? { lacks } : { samples };
}

/** The value in one run, or what it lacks. */
function valueIn(quantity: OfRuns, run: BegunRun, { inside }: Evidence): number | string {
  switch (quantity.of) {
    case 'epochsTo': {
      const { threshold = 0.99 } = quantity;
      const row = run.history.find(({ validation }) => validation.accuracy >= threshold);
      return row?.epoch ?? Number.POSITIVE_INFINITY;
    }
    case 'validationAccuracy':
    case 'trainingAccuracy': {
      const { epoch } = quantity;
      const row = run.history.find((r) => r.epoch === epoch) ?? run.history.at(-1);
      if (row === undefined || (epoch !== undefined && row.epoch !== epoch))
        return `run "${run.name}" has no epoch ${epoch}`;
      return (quantity.of === 'trainingAccuracy' ? row.train : row.validation).accuracy;
    }
    case 'parameters':
      return run.manifest.parameters;
    case 'epochs':
      return run.history.at(-1)?.epoch ?? 0;
    case 'inside': {
      const file = inside.get(publishedPath(run));
      const value = file && insideOf(file, run.name, quantity.measure, quantity.layer);
      return value ?? 'no analysis with the published choices (grok analyze DIR --as-published)';
    }
  }
}

function insideOf(
  file: PublishedAnalysis,
  name: string,
  what: Measure,
  layer: number | undefined,
): number | undefined {
  const inLayer = (layers: PublishedAnalysis['cka_scores']): number | undefined =>
    own(own(layers, `layer_${layer}`), name) ?? undefined;
  if (what === 'cka') return inLayer(file.cka_scores);
  if (what === 'rank') return inLayer(file.effective_ranks);
  if (what === 'entropy') return inLayer(file.attention_entropies);
  const weights = own(file.weight_statistics, name === 'teacher' ? name : `student_${name}`);
  return what === 'L1/L2' ? weights && weights.L1! / weights.L2! : weights?.[what];
}

function isCalled(run: BegunRun, name: string): boolean {
  return run.name === name || (run.name === '' && nameStrategies(run.config.experiment) === name);
}

/** True when every key of `part` is in `whole` with the same value, as deep as `part` goes. */
export function contains(whole: unknown, part: Json | JsonObject): boolean {
  if (!isObject(part)) return whole !== undefined && canonicalJson(whole) === canonicalJson(part);
  return (
    isObject(whole) &&
    Object.entries(part).every(([key, value]) => contains(own(whole, key), value))
  );
}
