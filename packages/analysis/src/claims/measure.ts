/** A claim's quantity measured on the runs of a folder: one value a seed, or the reason why there is none. */
import type { Json } from '@grok/core';
import { canonicalJson } from '@grok/core/internal';
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
/** Values by seed; of a quantity without runs, one value. */
export type Measured =
  | { readonly values: ReadonlyMap<string, number> }
  | { readonly lacks: string };

/** Measures a quantity on the finished runs whose experiments contain the setting. */
export function measure(quantity: Quantity, evidence: Evidence, setting: JsonObject): Measured {
  switch (quantity.of) {
    case 'power':
      return { values: new Map([['', power(quantity.d, quantity.n)]]) };
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
  const maps = all.map((found) => (found as { values: ReadonlyMap<string, number> }).values);
  const seeds = [...maps[0]!.keys()].filter((seed) => maps.every((map) => map.has(seed)));
  if (seeds.length === 0) return { lacks: 'no seed has all of its runs' };
  const values = seeds.map((seed) => [seed, of(maps.map((map) => map.get(seed)!))] as const);
  // What never came about on both sides has no ratio and no difference.
  const known = values.filter(([, value]) => !Number.isNaN(value));
  return known.length === 0
    ? { lacks: 'no seed came to both of its ends' }
    : { values: new Map(known) };
}

type OfRuns = Exclude<Quantity, { of: 'power' | 'ratio' | 'difference' | 'max' | 'min' }>;

function ofRuns(quantity: OfRuns, evidence: Evidence, setting: JsonObject): Measured {
  const named = evidence.runs.filter((run) => isCalled(run, quantity.run));
  const finished = named.filter(({ manifest }) => manifest.status === 'finished');
  const fitting = finished.filter(({ config }) => contains(config.experiment, setting));
  if (named.length === 0) return { lacks: `no run "${quantity.run}"` };
  if (finished.length === 0) return { lacks: `no run "${quantity.run}" is finished` };
  if (fitting.length === 0)
    return { lacks: `no run "${quantity.run}" with ${JSON.stringify(setting)}` };
  const values = new Map<string, number>();
  let lacks = '';
  for (const run of fitting) {
    const value = valueIn(quantity, run, evidence);
    if (typeof value === 'number') values.set(`${run.override ?? ''}@${run.seed}`, value);
    else lacks = value;
  }
  return values.size === 0 ? { lacks } : { values };
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
  const at = `layer_${layer}`;
  if (what === 'cka') return file.cka_scores[at]?.[name] ?? undefined;
  if (what === 'rank') return file.effective_ranks[at]?.[name] ?? undefined;
  if (what === 'entropy') return file.attention_entropies[at]?.[name] ?? undefined;
  const weights = file.weight_statistics[name === 'teacher' ? name : `student_${name}`];
  return what === 'L1/L2' ? weights && weights.L1! / weights.L2! : weights?.[what];
}

function isCalled(run: BegunRun, name: string): boolean {
  return run.name === name || (run.name === '' && nameStrategies(run.config.experiment) === name);
}

/** True when every key of `part` is in `whole` with the same value, as deep as `part` goes. */
export function contains(whole: unknown, part: Json | JsonObject): boolean {
  if (!isObject(part)) return whole !== undefined && canonicalJson(whole) === canonicalJson(part);
  return (
    isObject(whole) && Object.entries(part).every(([key, value]) => contains(whole[key], value))
  );
}
