/** A claim's quantity measured on the runs of a folder: one value a seed, or the reason why there is none. */
import type { Json } from '@grok/core';
import { canonicalJson, own, quote } from '@grok/core/internal';
import {
  type BegunRun,
  isObject,
  type JsonObject,
  mean,
  merge,
  nameStrategies,
  power,
} from '@grok/study';
import type { MeasuredTables } from '../atlas/tables.js';
import type { PublishedAnalysis } from '../files.js';
import { publishedPath } from '../study.js';
import type { Measure, Quantity } from './claims.js';

/** The data that claims are tested on. */
export interface Evidence {
  readonly runs: readonly BegunRun[];
  /** Files of the published layout with the published choices, by path in the study. */
  readonly inside: ReadonlyMap<string, PublishedAnalysis>;
  /** By a run's id, the tables that an atlas kept of it, by their measures. */
  readonly atlas: ReadonlyMap<string, Readonly<Record<string, MeasuredTables>>>;
}
/**
 * A value with the ids of its runs. Both ends are equal if it is known; the epochs of a run that never reached
 * an accuracy are between its last epoch and infinity, and so are values computed from them.
 */
export interface Sample {
  readonly low: number;
  readonly high: number;
  readonly runs: readonly string[];
}
/**
 * Conditions on the runs of a claim: their experiments contain the setting, and they are evaluated at the
 * budget.
 */
export interface Conditions {
  readonly setting: JsonObject;
  /** The same for the run named `teacher` and for all other runs, merged with the setting. */
  readonly teacher?: JsonObject;
  readonly students?: JsonObject;
  /** The claim's own settings, merged last. */
  readonly own?: JsonObject;
  /** Epochs; default: all. */
  readonly budget?: number;
}
/**
 * Samples by override and seed; a single one for a quantity without runs. Runs that several overrides share
 * give a sample in each, so that it can be compared with the others there.
 */
export type Measured =
  | { readonly samples: ReadonlyMap<string, Sample> }
  | { readonly lacks: string };

/** Measures a quantity on the finished runs that meet the conditions, without leaked ones. */
export function measure(quantity: Quantity, evidence: Evidence, when: Conditions): Measured {
  switch (quantity.of) {
    case 'power': {
      const value = power(quantity.d, quantity.n);
      return { samples: new Map([['', { low: value, high: value, runs: [] }]]) };
    }
    case 'ratio':
      return together([quantity.a, quantity.b], evidence, when, ([a, b]) => ({
        low: a!.low / b!.high,
        high: a!.high / b!.low,
      }));
    case 'difference':
      return together([quantity.a, quantity.b], evidence, when, ([a, b]) => ({
        low: a!.low - b!.high,
        high: a!.high - b!.low,
      }));
    case 'max':
    case 'min': {
      const of = quantity.of === 'max' ? Math.max : Math.min;
      return together(quantity.among, evidence, when, (all) => ({
        low: of(...all.map(({ low }) => low)),
        high: of(...all.map(({ high }) => high)),
      }));
    }
    default:
      return ofRuns(quantity, evidence, when);
  }
}

type Bounds = Omit<Sample, 'runs'>;

function together(
  parts: readonly Quantity[],
  evidence: Evidence,
  when: Conditions,
  of: (values: readonly Sample[]) => Bounds,
): Measured {
  const all = parts.map((part) => measure(part, evidence, when));
  const lacking = all.find((found) => 'lacks' in found);
  if (lacking !== undefined) return lacking;
  const maps = all.flatMap((found) => ('samples' in found ? [found.samples] : []));
  const seeds = [...(maps[0]?.keys() ?? [])];
  const whole = seeds.flatMap((seed) => {
    const own = maps.flatMap((map) => map.get(seed) ?? []);
    const runs = own.flatMap((sample) => sample.runs);
    return own.length < maps.length ? [] : [[seed, { ...of(own), runs }] as const];
  });
  return whole.length === 0
    ? { lacks: 'no seed has all of its runs' }
    : { samples: new Map(whole) };
}

type OfRuns = Exclude<Quantity, { of: 'power' | 'ratio' | 'difference' | 'max' | 'min' }>;

function ofRuns(quantity: OfRuns, evidence: Evidence, when: Conditions): Measured {
  const named = evidence.runs.filter((run) => isCalled(run, quantity.run));
  const finished = named.filter(({ manifest }) => manifest.status === 'finished');
  const role = quantity.run === 'teacher' ? when.teacher : when.students;
  const setting = merge(merge(when.setting, role), when.own);
  const fitting = finished.filter((run) => meets(run, setting, when.budget));
  if (named.length === 0) return { lacks: `no run ${quote(quantity.run)}` };
  if (finished.length === 0) return { lacks: `no run ${quote(quantity.run)} is finished` };
  if (fitting.length === 0) {
    const long = when.budget === undefined ? '' : ` of ${when.budget} epochs`;
    return { lacks: `no run ${quote(quantity.run)}${long} with ${JSON.stringify(setting)}` };
  }
  return sampleRuns(quantity, fitting, evidence, when.budget);
}

function sampleRuns(
  quantity: OfRuns,
  runs: readonly BegunRun[],
  evidence: Evidence,
  budget: number | undefined,
): Measured {
  const samples = new Map<string, Sample>();
  let lacks = '';
  for (const run of runs) {
    const isRecord = run.history.length === 0 && run.record.epochs > 0;
    const value = isRecord
      ? fromRecord(quantity, run, budget)
      : valueIn(quantity, run, evidence, budget);
    const key = `${run.override ?? ''}@${run.seed}`;
    if (typeof value === 'string') lacks = value;
    else if (!samples.has(key)) samples.set(key, { ...value, runs: [run.run] });
  }
  return samples.size === 0 ? { lacks } : { samples };
}

/** True for a run of the setting that is long enough and did not leak. */
function meets(run: BegunRun, setting: JsonObject, budget = 0): boolean {
  const { config, manifest } = run;
  return (
    contains(config.experiment, setting) &&
    manifest.leaked !== true &&
    describeLength(run) >= budget
  );
}

/** Epochs that a run was to have; one that stopped by its own rule is as good as that long. */
function describeLength({ config, history }: BegunRun): number {
  return config.experiment.epochs ?? history.at(-1)?.epoch ?? 0;
}

/** The value in one run up to the budget, or what it lacks. */
function valueIn(
  quantity: OfRuns,
  run: BegunRun,
  { inside, atlas }: Evidence,
  budget = Number.POSITIVE_INFINITY,
): Bounds | string {
  const exactly = (value: number): Bounds => ({ low: value, high: value });
  const rows = run.history.filter(({ epoch }) => epoch <= budget);
  switch (quantity.of) {
    case 'epochsTo': {
      const { threshold = 0.99 } = quantity;
      const row = rows.find(({ validation }) => validation.accuracy >= threshold);
      if (row !== undefined) return exactly(row.epoch);
      return { low: rows.at(-1)?.epoch ?? 0, high: Number.POSITIVE_INFINITY };
    }
    case 'validationAccuracy':
    case 'trainingAccuracy': {
      const { epoch } = quantity;
      const row = rows.find((r) => r.epoch === epoch) ?? rows.at(-1);
      if (row === undefined || (epoch !== undefined && row.epoch !== epoch))
        return `run "${run.name}" has no epoch ${epoch}`;
      return exactly((quantity.of === 'trainingAccuracy' ? row.train : row.validation).accuracy);
    }
    case 'parameters':
      return exactly(run.manifest.parameters);
    case 'epochs':
      return exactly(Math.min(budget, describeLength(run)));
    case 'inside': {
      const file = inside.get(publishedPath(run));
      const value = file && readPublishedValue(file, run.name, quantity.measure, quantity.layer);
      if (value !== undefined) return exactly(value);
      return 'no analysis with the published choices (grok analyze DIR --as-published)';
    }
    case 'atlas':
      return readAtlas(quantity, run, atlas);
  }
}

/** The value in a run of which only its record is kept, where that says it. */
function fromRecord(
  quantity: OfRuns,
  { name, record, manifest }: BegunRun,
  budget = Number.POSITIVE_INFINITY,
): Bounds | string {
  const lacks = `run "${name}" has no epochs, only its record`;
  const value = (known: number | null | undefined): Bounds | string =>
    known === null || known === undefined ? lacks : { low: known, high: known };
  if (quantity.of === 'parameters') return value(manifest.parameters);
  if (quantity.of === 'epochs') return value(Math.min(budget, record.epochs));
  if (record.epochs > budget) return lacks;
  if (quantity.of === 'validationAccuracy' && quantity.epoch === undefined)
    return value(record.finalValAccuracy);
  if (quantity.of !== 'epochsTo') return lacks;
  const epoch = own(record.epochsTo, String(quantity.threshold ?? 0.99));
  return epoch === null ? { low: record.epochs, high: Number.POSITIVE_INFINITY } : value(epoch);
}

/** The mean of the numbers in a column of an atlas's table, over the rows that a quantity asks for, or what it lacks. */
function readAtlas(
  { measure, table, column, where = {} }: Extract<Quantity, { of: 'atlas' }>,
  { run }: BegunRun,
  atlas: Evidence['atlas'],
): Bounds | string {
  const rows = own(own(atlas.get(run), measure), table) ?? [];
  const values = rows
    .filter((row) => Object.entries(where).every(([name, value]) => own(row, name) === value))
    .map((row) => own(row, column))
    .filter((value) => typeof value === 'number');
  if (values.length === 0) return `no "${measure}" of an atlas with this (grok atlas DIR)`;
  return { low: mean(values), high: mean(values) };
}

function readPublishedValue(
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

/** Whether every key of `part` is in `whole` with the same value, at any depth. */
export function contains(whole: unknown, part: Json | JsonObject): boolean {
  if (!isObject(part)) return whole !== undefined && canonicalJson(whole) === canonicalJson(part);
  return (
    isObject(whole) &&
    Object.entries(part).every(([key, value]) => contains(own(whole, key), value))
  );
}
