/** Describes what does not match a schema: the key, the rule and what was got, with the nearest known key. */
import { type InputError, quote, truncate, unknownName, withSubject } from './errors.js';

/** An issue of a Standard Schema; zod's issues carry more than a message. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string | undefined;
  /** `told` marks a refinement whose message is already complete. */
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}
/** A schema violation and the path of keys that leads to it. */
export interface Fault {
  readonly path: readonly string[];
  /** Such as `must be ≥ 1, got 0`. */
  readonly problem: string;
  readonly error?: InputError;
}

type Fields = Readonly<Record<string, unknown>>;
/** Most faults reported for one document. */
const MOST = 10;

/** Finds the first key, at any depth, that a JSON Schema does not know; this is where the known keys can be listed. */
export function findUnknownKey(
  json: Fields,
  value: unknown,
  noun: string,
  path: readonly string[] = [],
): Fault | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { items, properties, additionalProperties } = pickAlternative(json, value);
  const known = isFields(properties) ? new Map(Object.entries(properties)) : undefined;
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, key];
    const below = Array.isArray(value) ? items : (known?.get(key) ?? additionalProperties);
    if (known !== undefined && below === false) return reportUnknownKey(noun, at, known.keys());
    const found = isFields(below) ? findUnknownKey(below, inner, noun, at) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Finds the first number, at any depth, that float32 rounds to 0 or infinity; training is in float32. */
export function findLostNumber(value: unknown, path: readonly string[] = []): Fault | undefined {
  if (typeof value === 'number') {
    const single = Math.fround(value);
    const isLost =
      Number.isFinite(value) && value !== 0 && (single === 0 || !Number.isFinite(single));
    const problem = `must be 0 or between 1.4e-45 and 3.4e38 (the range of float32), got ${value}`;
    return isLost ? { path, problem } : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = findLostNumber(inner, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function reportUnknownKey(noun: string, path: readonly string[], known: Iterable<string>): Fault {
  const [key = ''] = path.slice(-1);
  const unknown = unknownName(noun, key, known);
  const parents = truncate(path.slice(0, -1).join('.'));
  const error = parents === '' ? unknown : withSubject(parents, unknown);
  return { path, problem: error.message, error };
}

/** Picks the alternative of a union whose constant values match those of `value`. */
function pickAlternative(json: Fields, value: object): Fields {
  if (!Array.isArray(json.oneOf)) return json;
  const members = new Map<string, unknown>(Object.entries(value));
  const fits = ({ properties }: Fields): boolean =>
    Object.entries(isFields(properties) ? properties : {}).every(
      ([key, form]) =>
        !isFields(form) || form.const === undefined || form.const === members.get(key),
    );
  return json.oneOf.filter(isFields).find(fits) ?? {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Converts the issues of a schema's own check to faults. */
export function findFaults(issues: readonly Issue[], given: unknown): readonly Fault[] {
  return issues.map((issue) => {
    const path = (issue.path ?? []).map((part) =>
      String(typeof part === 'object' ? part.key : part),
    );
    const got = path.reduce(readMember, given);
    if (issue.params?.told === true) return { path, problem: issue.message };
    const problem =
      got === undefined ? `is missing (${issue.message})` : `${issue.message}, got ${show(got)}`;
    return { path, problem };
  });
}

function readMember(at: unknown, key: string): unknown {
  if (typeof at !== 'object' || at === null) return undefined;
  return Object.getOwnPropertyDescriptor(at, key)?.value;
}

/** Formats faults one after another; a long list is cut to the first ones. */
export function formatFaults(faults: readonly Fault[], noun: string): string {
  const messages = faults.slice(0, MOST).map((fault) => formatFault(fault, noun));
  const left = faults.length - messages.length;
  return [...messages, ...(left > 0 ? [`and ${left} more`] : [])].join('; ');
}

/** Formats `key "a.b": must be ≥ 1, got 0`; unknown keys and whole-document faults carry their own text. */
function formatFault({ path, problem, error }: Fault, noun: string): string {
  return error === undefined && path.length > 0
    ? `${noun} ${quote(path.join('.'))}: ${problem}`
    : problem;
}

/** Shows a value as it was written; plain JSON turns NaN into null and throws on a bigint. */
export function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  const inside = (_: string, inner: unknown): unknown =>
    typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner))
      ? show(inner)
      : inner;
  return truncate(JSON.stringify(value, inside) ?? typeof value);
}
