/**
 * The safetensors format (huggingface/safetensors): 8 bytes with the header's length, a JSON header
 * of names, types, shapes and offsets, then the data. Of its types those that grok meets.
 */
import { InputError } from '../contracts/errors.js';
import { bytesOf } from '../contracts/hash.js';
import type { HostArray } from '../contracts/types.js';
import { sizeOf } from '../tensors/params.js';

/** A tensor of a file; `float64` and `uint8` beside the types that cross the seam. */
export type StoredArray =
  | HostArray
  | { readonly shape: readonly number[]; readonly dtype: 'float64'; readonly data: Float64Array }
  | { readonly shape: readonly number[]; readonly dtype: 'uint8'; readonly data: Uint8Array };

/** Tensors by name, in the header's order, and the strings of `__metadata__`. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, StoredArray>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const TYPES = {
  F64: { dtype: 'float64', array: Float64Array },
  F32: { dtype: 'float32', array: Float32Array },
  I32: { dtype: 'int32', array: Int32Array },
  U8: { dtype: 'uint8', array: Uint8Array },
  BOOL: { dtype: 'bool', array: Uint8Array },
} as const;
type TypeName = keyof typeof TYPES;

/**
 * Bytes of a file; the header starts with the metadata, keeps the order of names and is padded so
 * that data begins at a multiple of 8.
 * @throws InputError when data does not fill a shape.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, StoredArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors).map(([name, tensor]) => {
    const type = (Object.keys(TYPES) as TypeName[]).find((t) => TYPES[t].dtype === tensor.dtype);
    if (type === undefined || !(tensor.data instanceof TYPES[type].array))
      throw new InputError(`tensor "${name}": data do not fit its type ${tensor.dtype}`);
    if (tensor.data.length !== sizeOf(tensor.shape))
      throw new InputError(
        `tensor "${name}": shape [${tensor.shape}] needs ${sizeOf(tensor.shape)} values, got ${tensor.data.length}`,
      );
    return { name, type, tensor, bytes: bytesOf(tensor.data), begin: 0 };
  });
  // Wide types first, so that every tensor is aligned for readers that map the file.
  let size = 0;
  for (const entry of entries.toSorted((a, b) => width(b.type) - width(a.type))) {
    entry.begin = size;
    size += entry.bytes.length;
  }
  const header: [string, unknown][] = [['__metadata__', metadata]];
  for (const { name, type, tensor, begin, bytes } of entries)
    header.push([
      name,
      { dtype: type, shape: tensor.shape, data_offsets: [begin, begin + bytes.length] },
    ]);
  const json = new TextEncoder().encode(
    `{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
  );
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(start + size).fill(0x20, 8, start);
  new DataView(out.buffer).setBigUint64(0, BigInt(start - 8), true);
  out.set(json, 8);
  for (const { bytes, begin } of entries) out.set(bytes, start + begin);
  return out;
}

/**
 * Reads a file's bytes; data are copied out.
 * @throws InputError that names `where` when the file is cut short, too long, or not of this format.
 */
export function readSafetensors(file: Uint8Array, where: string): Safetensors {
  const bytes = bytesOf(file); // a Buffer's slice is no copy
  const wrong = (what: string): InputError =>
    new InputError(`${where}: ${what}; it is damaged or not a safetensors file`);
  if (bytes.length < 8) throw wrong(`has ${bytes.length} bytes, fewer than a header's length`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  if (start > bytes.length)
    throw wrong(`has ${bytes.length} bytes, and its header would end at ${start}`);
  const header = parseHeader(bytes.subarray(8, start));
  if (header === undefined) throw wrong('has no JSON object as header');

  const places = header.entries.map(([name, entry]) => readPlace(name, entry, wrong));
  for (const { name, end } of places)
    if (start + end > bytes.length)
      throw wrong(`is cut short: "${name}" ends at byte ${start + end} of ${bytes.length}`);
  let covered = 0;
  for (const { begin, end } of places.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) throw wrong(`tensors overlap or leave a hole at byte ${begin}`);
    covered = end;
  }
  if (start + covered !== bytes.length)
    throw wrong(`has ${bytes.length - start - covered} bytes after its last tensor`);
  const tensors = places.map(({ name, shape, type, begin, end }) => {
    // A copy, since a view would need the file's own alignment.
    const data = new TYPES[type].array(bytes.slice(start + begin, start + end).buffer);
    return [name, { shape, dtype: TYPES[type].dtype, data } as StoredArray];
  });
  return { tensors: Object.fromEntries(tensors), metadata: header.metadata };
}

/** What the header says of one tensor: type, shape, and its bytes after the header. */
interface Place {
  readonly name: string;
  readonly type: TypeName;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readPlace(
  name: string,
  { dtype, shape, data_offsets: span }: Record<string, unknown>,
  wrong: (what: string) => InputError,
): Place {
  if (!isType(dtype))
    throw wrong(`tensor "${name}" is of type ${dtype} (known: ${Object.keys(TYPES).join(', ')})`);
  if (!isCounts(shape) || !isCounts(span) || span.length !== 2)
    throw wrong(`tensor "${name}" has no proper shape and offsets`);
  const [begin = 0, end = 0] = span;
  if (end - begin !== sizeOf(shape) * width(dtype))
    throw wrong(`tensor "${name}" of shape [${shape}] has ${end - begin} bytes`);
  return { name, type: dtype, shape, begin, end };
}

function parseHeader(
  bytes: Uint8Array,
): { entries: [string, Record<string, unknown>][]; metadata: Record<string, string> } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const header: unknown = JSON.parse(text);
    if (!isRecord(header)) return undefined;
    const { __metadata__: metadata = {}, ...rest } = header;
    const entries = Object.entries(rest).flatMap(([name, entry]): [string, typeof header][] =>
      isRecord(entry) ? [[name, entry]] : [],
    );
    const isWhole = entries.length === Object.keys(rest).length;
    return isWhole && isStrings(metadata) ? { entries, metadata } : undefined;
  } catch {
    return undefined;
  }
}

const width = (type: TypeName): number => TYPES[type].array.BYTES_PER_ELEMENT;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isStrings = (value: unknown): value is Record<string, string> =>
  isRecord(value) && Object.values(value).every((each) => typeof each === 'string');
const isType = (value: unknown): value is TypeName =>
  typeof value === 'string' && Object.hasOwn(TYPES, value);
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
