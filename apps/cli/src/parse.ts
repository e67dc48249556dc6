/** Numbers, assignments and strategies as they are typed: strictly, so that no typo becomes a run. */
import { type Execution, InputError, type Json } from '@grok/core';
import {
  findTextFault,
  quote,
  show,
  type TermUse,
  type TrackerUse,
  type Use,
} from '@grok/core/internal';
import type { Change } from './set.js';

/** Reads `text` as a finite number. @throws InputError that names the flag. */
export function parseNumber(flag: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value))
    throw new InputError(`${flag}: must be a number, got ${quote(text)}`);
  const fault = findTextFault(text.trim());
  if (fault !== undefined) throw new InputError(`${flag}: ${fault}`);
  return value;
}

/** Reads `text` as an integer, at least `least`. @throws InputError that names the flag. */
export function parseInteger(flag: string, text: string, least = 0): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new InputError(`${flag}: must be an integer ≥ ${least}, got ${quote(text)}`);
  return value;
}

/** Splits `a.b=value`; the value is JSON where it parses as such, else text. */
export function parseAssignment(text: string): Change {
  const at = text.indexOf('=');
  const path = text.slice(0, at).split('.');
  if (at < 1 || path.some((part) => part.trim() === ''))
    throw new InputError(
      `--set: must be path=value, such as optimizer.options.learningRate=2e-3, got ${quote(text)}`,
    );
  return { path, value: jsonOrText(text.slice(at + 1)) };
}

/**
 * Reads `name:key=value,key=value` as a term of the objective; `weight` and `as` are the term's own,
 * all else are options of the strategy. Commas inside brackets belong to the value.
 */
export function parseStrategy(text: string): TermUse {
  const { weight, ...use } = parseUse('--strategy', text, 'logit:temperature=4,weight=0.7', [
    'as',
    'weight',
  ]);
  if (weight === undefined) return use;
  if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0)
    throw new InputError(
      `--strategy: the weight must be a number ≥ 0, not ${show(weight)}; got ${quote(text)}`,
    );
  return { ...use, weight };
}

/** Reads `name` or `name:key=value,…` as a backend; `source` is where it was typed. */
export function parseBackend(
  source: string,
  text: string,
): Pick<Execution, 'backend' | 'backendOptions'> {
  const { use, options } = parseUse(source, text, 'onnx:rules={"rope":false}', []);
  return { backend: use, ...(options === undefined ? {} : { backendOptions: options }) };
}

/** Reads `name` or `name:key=value,…` as an executor. */
export function parseExecutor(text: string): Use {
  return parseUse('--executor', text, 'processes:jobs=2', []);
}

/** Reads `name` or `name:key=value,…` as an exporter. */
export function parseExporter(text: string): Use {
  return parseUse('exporter', text, 'onnx:sites=["pooled"]', []);
}

/** Reads the texts of `--track`; `none`, alone, is nobody. */
export function parseTrackers(texts: readonly string[]): readonly TrackerUse[] {
  if (texts.length === 1 && texts[0] === 'none') return [];
  return texts.map((text) => parseUse('--track', text, 'csv:file=epochs.csv', ['as']));
}

function parseUse(
  flag: string,
  text: string,
  example: string,
  own: readonly string[],
): Use & { readonly as?: string; readonly weight?: Json } {
  const wrong = (rule: string): InputError =>
    new InputError(
      `${flag}: ${rule}; write name or name:key=value,key=value, such as ${example}; got ${quote(text)}`,
    );
  const colon = text.indexOf(':');
  const use = colon === -1 ? text : text.slice(0, colon);
  if (use.trim() === '') throw wrong('needs a name');
  const found: Record<string, Json> = {};
  for (const pair of colon === -1 ? [] : splitOutside(text.slice(colon + 1))) {
    const at = pair.indexOf('=');
    if (at < 1) throw wrong(`${quote(pair)} is not key=value`);
    const key = pair.slice(0, at).trim();
    if (Object.hasOwn(found, key)) throw wrong(`"${key}" twice`);
    found[key] = jsonOrText(pair.slice(at + 1));
  }
  const isOwn = ([key]: readonly [string, Json]): boolean => own.includes(key);
  const { as, ...kept } = Object.fromEntries(Object.entries(found).filter(isOwn));
  const options = Object.fromEntries(Object.entries(found).filter((pair) => !isOwn(pair)));
  return {
    use,
    ...(as === undefined ? {} : { as: String(as) }),
    ...kept,
    ...(Object.keys(options).length === 0 ? {} : { options }),
  };
}

function jsonOrText(text: string): Json {
  if (findTextFault(text) !== undefined) return text; // refused by whoever asks for a number
  try {
    return JSON.parse(text) as Json;
  } catch {
    // `.5` and `1e-3` are numbers to people; JSON lacks the first.
    return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  }
}

function splitOutside(text: string): readonly string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const char of text) {
    if ('[{'.includes(char)) depth++;
    if (']}'.includes(char)) depth--;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}
