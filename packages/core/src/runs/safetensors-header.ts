/**
 * Parses the header of a safetensors file the way the reference implementation does
 * (huggingface/safetensors 0.8, Rust's serde): stricter than `JSON.parse` on numbers and duplicate
 * names, more lenient on enum forms.
 */

/** JSON with numbers as text and objects as pairs, so that duplicate names are kept. */
type Written =
  | null
  | boolean
  | string
  | Written[]
  | { readonly number: string }
  | { readonly pairs: (readonly [string, Written])[] };

/** A tensor's entry in the header; counts go up to 2⁶⁴ − 1. */
export interface TensorInfo {
  readonly dtype: string;
  readonly shape: readonly bigint[];
  readonly offsets: readonly [bigint, bigint];
}
/** A header: its tensors in order, and its metadata. */
export interface Header {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
/** serde's recursion limit. */
const DEEPEST = 127;
const LARGEST = 2n ** 64n - 1n;
const FIELDS = ['dtype', 'shape', 'data_offsets'] as const;

/** Parses the bytes of a header. @throws Error that says what is wrong with them. */
export function parseHeader(bytes: Uint8Array): Header {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  JSON.parse(text); // checks the grammar only; the result is not used
  const pairs = readPairs(readWritten(text));
  if (pairs === undefined) throw new Error('must be a JSON object');
  const named = pairs.filter(([name]) => name === '__metadata__');
  if (named.length > 1) throw new Error('has "__metadata__" twice');
  const tensors = new Map<string, TensorInfo>();
  for (const [name, value] of pairs)
    if (name !== '__metadata__') tensors.set(name, readInfo(name, value));
  return { tensors, metadata: readMetadata(named[0]?.[1] ?? null) };
}

function readMetadata(value: Written): Record<string, string> {
  const pairs = value === null ? [] : readPairs(value);
  const strings = pairs?.filter(
    (pair): pair is readonly [string, string] => typeof pair[1] === 'string',
  );
  if (strings === undefined || strings.length !== pairs?.length)
    throw new Error('"__metadata__" must be an object of strings');
  return Object.fromEntries(strings);
}

function readInfo(name: string, value: Written): TensorInfo {
  const fail = (rule: string): Error => new Error(`tensor ${JSON.stringify(name)}: ${rule}`);
  const [dtype, shape, offsets] = FIELDS.map((field, i) => {
    if (Array.isArray(value)) return value.length === FIELDS.length ? value[i] : undefined;
    const found = readPairs(value)?.filter(([key]) => key === field) ?? [];
    if (found.length > 1) throw fail(`"${field}" stands twice`);
    return found[0]?.[1];
  });
  const type = readType(dtype);
  const sizes = readCounts(shape);
  const [begin, end, ...more] = readCounts(offsets) ?? [];
  if (type === undefined) throw fail('must have a string "dtype"');
  if (sizes === undefined) throw fail('must have a "shape" of integers');
  if (begin === undefined || end === undefined || more.length > 0)
    throw fail('must have two integers as "data_offsets"');
  return { dtype: type, shape: sizes, offsets: [begin, end] };
}

/** Reads `"F32"`, or `{ "F32": null }`, which serde treats as the same. */
function readType(value: Written | undefined): string | undefined {
  if (typeof value === 'string') return value;
  const [first, ...more] = readPairs(value) ?? [];
  return first?.[1] === null && more.length === 0 ? first[0] : undefined;
}

function readCounts(value: Written | undefined): readonly bigint[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const counts = value.flatMap((item) =>
    typeof item === 'object' && item !== null && 'number' in item && /^\d+$/.test(item.number)
      ? [BigInt(item.number)]
      : [],
  );
  const isWhole = counts.length === value.length && counts.every((count) => count <= LARGEST);
  return isWhole ? counts : undefined;
}

function readPairs(
  value: Written | undefined,
): readonly (readonly [string, Written])[] | undefined {
  return typeof value === 'object' && value !== null && 'pairs' in value ? value.pairs : undefined;
}

/** Adds the next value to a list or an object. */
type Level = (value: Written) => void;

/** Parses well-formed JSON. @throws Error on what serde rejects: too many levels, lone surrogates, numbers beyond float64. */
function readWritten(text: string): Written {
  const root: Written[] = [];
  const levels: Level[] = [(value) => void root.push(value)];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '}' || token === ']') levels.pop();
    else if (token !== ',' && token !== ':') readToken(token, levels);
  }
  return root[0] ?? null;
}

function readToken(token: string, levels: Level[]): void {
  const isOpening = token === '{' || token === '[';
  if (!isOpening) {
    levels.at(-1)?.(readScalar(token));
    return;
  }
  const [value, level] = token === '{' ? createObject() : createList();
  levels.at(-1)?.(value);
  levels.push(level);
  if (levels.length - 1 > DEEPEST) throw new Error(`must have at most ${DEEPEST} levels`);
}

function createList(): [Written, Level] {
  const items: Written[] = [];
  return [items, (value) => void items.push(value)];
}

/** Receives names and values alternately. */
function createObject(): [Written, Level] {
  const pairs: (readonly [string, Written])[] = [];
  let name: string | undefined;
  const add: Level = (value) => {
    if (name === undefined) name = String(value);
    else {
      pairs.push([name, value]);
      name = undefined;
    }
  };
  return [{ pairs }, add];
}

function readScalar(token: string): Written {
  const value: unknown = JSON.parse(token);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`${token.slice(0, 40)} is out of range`);
    return { number: token };
  }
  if (typeof value !== 'string') return value === null ? null : value === true;
  if (/\p{Surrogate}/u.test(value)) throw new Error('a string has an unpaired surrogate');
  return value;
}
