/** Numbers, assignments and strategies as they are typed: strictly, so that no typo becomes a run. */
import { InputError, type Json, type TermUse } from '@grok/core';

/** Reads `text` as a finite number. @throws InputError that names the flag. */
export function numberOf(flag: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value))
    throw new InputError(`${flag}: must be a number, got ${JSON.stringify(text)}`);
  return value;
}

/** Reads `text` as a whole number, at least `least`. @throws InputError that names the flag. */
export function wholeOf(flag: string, text: string, least = 0): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new InputError(`${flag}: must be a whole number ≥ ${least}, got ${JSON.stringify(text)}`);
  return value;
}

/** Splits `a.b=value`; the value is JSON where it parses as such, else text. */
export function assignmentOf(text: string): { path: readonly string[]; value: Json } {
  const at = text.indexOf('=');
  const path = text.slice(0, at).split('.');
  if (at < 1 || path.some((part) => part.trim() === ''))
    throw new InputError(
      `--set: needs path=value, such as optimizer.options.learningRate=2e-3, got ${JSON.stringify(text)}`,
    );
  return { path, value: jsonOrText(text.slice(at + 1)) };
}

/**
 * Reads `name:key=value,key=value` as a term of the objective; `weight` and `as` are the term's own,
 * all else are options of the strategy. Commas inside brackets belong to the value.
 */
export function strategyOf(text: string): TermUse {
  const wrong = (rule: string): InputError =>
    new InputError(
      `--strategy: ${rule}; write name or name:key=value,key=value, such as logit:temperature=4,weight=0.7; got ${JSON.stringify(text)}`,
    );
  const colon = text.indexOf(':');
  const use = colon === -1 ? text : text.slice(0, colon);
  if (use.trim() === '') throw wrong('needs a name');
  const pairs = colon === -1 ? [] : splitOutside(text.slice(colon + 1));
  const options: Record<string, Json> = {};
  let term: TermUse = { use };
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw wrong(`${JSON.stringify(pair)} is not key=value`);
    const [key, value] = [pair.slice(0, at).trim(), jsonOrText(pair.slice(at + 1))];
    if (Object.hasOwn(options, key) || Object.hasOwn(term, key)) throw wrong(`"${key}" twice`);
    if (key === 'weight') {
      if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
        throw wrong(`the weight must be a number ≥ 0, not ${JSON.stringify(value)}`);
      term = { ...term, weight: value };
    } else if (key === 'as') term = { ...term, as: String(value) };
    else options[key] = value;
  }
  return Object.keys(options).length === 0 ? term : { ...term, options };
}

function jsonOrText(text: string): Json {
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
