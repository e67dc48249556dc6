/** A claims file: numbers and sentences of a paper, each with its source, its quantity, its setting and its band. */
import { InputError, unknownName } from '@grok/core';
import { isObject, type JsonObject } from '@grok/study';

/** What is measured; every kind gives one value a seed. Accuracies are 0–1. */
export type Quantity =
  /** Epochs to a validation accuracy (default .99); never is infinity. */
  | { readonly of: 'epochsTo'; readonly run: string; readonly threshold?: number }
  /** At an epoch, or (default) the last. */
  | { readonly of: 'validationAccuracy'; readonly run: string; readonly epoch?: number }
  | { readonly of: 'trainingAccuracy'; readonly run: string; readonly epoch?: number }
  | { readonly of: 'parameters'; readonly run: string }
  | { readonly of: 'epochs'; readonly run: string }
  /** A number of the published layout: `cka`, `rank`, `entropy` of a layer, or `L1`, `L2`, `L1/L2`. */
  | {
      readonly of: 'inside';
      readonly run: string;
      readonly measure: Measure;
      readonly layer?: number;
    }
  /** Power of a paired t test over `n` pairs at level .05. */
  | { readonly of: 'power'; readonly n: number; readonly d: number }
  | { readonly of: 'ratio' | 'difference'; readonly a: Quantity; readonly b: Quantity }
  | { readonly of: 'max' | 'min'; readonly among: readonly Quantity[] };
/** Numbers of the published layout. */
export type Measure = 'cka' | 'rank' | 'entropy' | 'L1' | 'L2' | 'L1/L2';

/** One number or sentence of a paper. */
export interface Claim {
  readonly id: string;
  /** Where it stands, such as `4.2.1, table`. */
  readonly source: string;
  /** The number or sentence, for people. */
  readonly claim: string;
  /** Default true. */
  readonly testable?: boolean;
  /** Why it cannot be tested. */
  readonly why?: string;
  readonly quantity?: Quantity;
  /** What the runs' experiments must contain, laid over the file's own. */
  readonly setting?: JsonObject;
  /** The published number. */
  readonly value?: number;
  /** Reach around `value`, or both ends (null: none). */
  readonly band?: number | readonly [number | null, number | null];
}
/** A claims file. */
export interface Claims {
  readonly format: 'grok claims 1';
  readonly paper: string;
  /** What every run's experiment must contain. */
  readonly setting: JsonObject;
  readonly claims: readonly Claim[];
}

const KEYS = [
  ...['id', 'source', 'claim', 'testable', 'why', 'quantity', 'setting', 'value', 'band'],
];
const MEASURES = ['cka', 'rank', 'entropy', 'L1', 'L2', 'L1/L2'];
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  epochsTo: ['run', 'threshold?'],
  validationAccuracy: ['run', 'epoch?'],
  trainingAccuracy: ['run', 'epoch?'],
  parameters: ['run'],
  epochs: ['run'],
  inside: ['run', 'measure', 'layer?'],
  power: ['n', 'd'],
  ratio: ['a', 'b'],
  difference: ['a', 'b'],
  max: ['among'],
  min: ['among'],
};

/** Checks a claims file. @throws InputError that names the claim and what is wrong with it. */
export function checkClaims(value: unknown, what: string): Claims {
  const fail = (rule: string): never => {
    throw new InputError(`${what}: ${rule}`);
  };
  if (!isObject(value) || value.format !== 'grok claims 1')
    return fail('must be an object with "format": "grok claims 1"');
  if (!Array.isArray(value.claims) || value.claims.length === 0)
    fail('"claims" must be a list of at least one');
  if (!isObject(value.setting)) fail('"setting" must be an object; {} takes any run');
  const seen = new Set<string>();
  for (const [i, claim] of (value.claims as readonly unknown[]).entries()) {
    const id = isObject(claim) && typeof claim.id === 'string' ? claim.id : `claim ${i + 1}`;
    const wrong = (rule: string): never => fail(`"${id}": ${rule}`);
    if (!isObject(claim)) return wrong('must be an object');
    for (const key of Object.keys(claim))
      if (!KEYS.includes(key)) wrong(unknownName('key', key, KEYS).message);
    for (const key of ['id', 'source', 'claim'])
      if (typeof claim[key] !== 'string') wrong(`needs "${key}", a text`);
    if (seen.has(id)) wrong('is there twice; give each its own id');
    seen.add(id);
    if (claim.testable === false) {
      if (typeof claim.why !== 'string' || claim.why === '')
        wrong('says it cannot be tested; say "why"');
      continue;
    }
    checkQuantity(claim.quantity, wrong);
    checkBand(claim, wrong);
  }
  return value as unknown as Claims;
}

function checkBand({ band, value }: JsonObject, wrong: (rule: string) => never): void {
  if (value !== undefined && typeof value !== 'number') wrong('"value" must be a number');
  const ends = Array.isArray(band) && band.length === 2 && band.some((end) => end !== null);
  if (ends && (band as unknown[]).every((end) => end === null || typeof end === 'number')) return;
  if (typeof band === 'number' && band >= 0 && value !== undefined) return;
  wrong('needs a "band": a number around its "value", or [low, high] with null for no end');
}

function checkQuantity(quantity: unknown, wrong: (rule: string) => never): void {
  const fields = isObject(quantity)
    ? quantity
    : wrong('needs a "quantity", or "testable": false and "why"');
  const kind = String(fields.of);
  const needs = Object.hasOwn(NEEDS, kind) ? NEEDS[kind] : undefined;
  if (needs === undefined) wrong(unknownName('quantity', kind, Object.keys(NEEDS)).message);
  const known = needs!.map((key) => key.replace('?', ''));
  for (const key of Object.keys(fields))
    if (key !== 'of' && !known.includes(key)) wrong(unknownName('key', key, known).message);
  for (const key of needs!.filter((name) => !name.endsWith('?')))
    if (fields[key] === undefined) wrong(`quantity "${kind}" needs "${key}"`);
  if (kind === 'inside') {
    const measure = String(fields.measure);
    if (!MEASURES.includes(measure)) wrong(unknownName('measure', measure, MEASURES).message);
    if (!measure.startsWith('L') && typeof fields.layer !== 'number')
      wrong(`measure "${measure}" needs a "layer"`);
  }
  const { a, b, n, d, among = [] } = fields;
  if (kind === 'power' && !(Number.isInteger(n) && Number(n) >= 2 && typeof d === 'number'))
    wrong('quantity "power" needs "n", a whole number from 2 on, and "d", a number');
  if (!Array.isArray(among) || ('among' in fields && among.length === 0))
    wrong(`quantity "${kind}" needs "among", a list of at least one`);
  const inner = [a, b, ...among];
  for (const part of inner) if (part !== undefined) checkQuantity(part, wrong);
}
