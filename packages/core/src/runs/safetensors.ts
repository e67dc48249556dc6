/**
 * The safetensors format (huggingface/safetensors): 8 bytes with the header's length, a JSON header
 * of names, types, shapes and offsets, then the data. Only the types that grok needs are supported.
 */
import { InputError, isInputError, quote, truncate } from '../contracts/errors.js';
import { viewBytes } from '../contracts/hash.js';
import type { HostArray } from '../contracts/types.js';
import { own, sizeOf } from '../tensors/params.js';
import { type Header, parseHeader, type TensorInfo } from './safetensors-header.js';

/** A tensor of a file; more types than cross the seam. */
export type StoredArray =
  | HostArray
  | { readonly shape: readonly number[]; readonly dtype: 'float64'; readonly data: Float64Array }
  | { readonly shape: readonly number[]; readonly dtype: 'uint8'; readonly data: Uint8Array }
  | {
      readonly shape: readonly number[];
      /** Bits of 16-bit floating-point numbers, which JavaScript has no array of. */
      readonly dtype: 'float16' | 'bfloat16';
      readonly data: Uint16Array;
    };

/** Tensors by name, in header order, and the strings of `__metadata__`. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, StoredArray>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const TYPES = {
  F64: { dtype: 'float64', array: Float64Array },
  F32: { dtype: 'float32', array: Float32Array },
  I32: { dtype: 'int32', array: Int32Array },
  F16: { dtype: 'float16', array: Uint16Array },
  BF16: { dtype: 'bfloat16', array: Uint16Array },
  U8: { dtype: 'uint8', array: Uint8Array },
  BOOL: { dtype: 'bool', array: Uint8Array },
} as const;
type TypeName = keyof typeof TYPES;

/**
 * Returns the bytes of a file. The header starts with the metadata, keeps the order of names and is
 * padded so that the data starts at a multiple of 8.
 * @throws InputError when data does not fill a shape.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, StoredArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors).map(([name, tensor]) => {
    const type = (Object.keys(TYPES) as TypeName[]).find((t) => TYPES[t].dtype === tensor.dtype);
    if (type === undefined || !(tensor.data instanceof TYPES[type].array))
      throw new InputError(`tensor "${name}": its data do not match its type ${tensor.dtype}`);
    if (tensor.data.length !== sizeOf(tensor.shape))
      throw new InputError(
        `tensor "${name}": shape [${tensor.shape}] needs ${sizeOf(tensor.shape)} values, got ${tensor.data.length}`,
      );
    return { name, type, tensor, bytes: viewBytes(tensor.data), begin: 0 };
  });
  // Wide types first, so that every tensor is aligned for readers that memory-map the file.
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

/** Bits per element of each type in the format. */
const BITS: Readonly<Record<string, bigint>> = {
  ...{ BOOL: 8n, F4: 4n, F6_E2M3: 6n, F6_E3M2: 6n, U8: 8n, I8: 8n, F8_E5M2: 8n, F8_E4M3: 8n },
  ...{ F8_E8M0: 8n, F8_E4M3FNUZ: 8n, F8_E5M2FNUZ: 8n, I16: 16n, U16: 16n, F16: 16n, BF16: 16n },
  ...{ I32: 32n, U32: 32n, F32: 32n, C64: 64n, F64: 64n, I64: 64n, U64: 64n },
};
const LARGEST_HEADER = 100_000_000;
const UINT64 = 2n ** 64n;

/**
 * Reads a file's bytes; data are copied out. `onUnsupported` is told of each tensor of a type that is not
 * read here, and why; without it, the first of them is an error.
 * @throws InputError that names `where` when the file is cut short, too long, or not of this format; of
 * code `unsupported` when it is sound and has a type that is not read here.
 */
export function readSafetensors(
  file: Uint8Array,
  where: string,
  onUnsupported?: (name: string, error: InputError) => void,
): Safetensors {
  const bytes = viewBytes(file); // a Buffer's `slice` does not copy
  const wrong = (what: string): InputError =>
    new InputError(`${where}: ${what}; the file is damaged or not in safetensors format`);
  const { start, header } = locateHeader(bytes, wrong);
  checkOffsets(header, bytes.length - start, wrong);
  const data = bytes.subarray(start);
  const tensors = [...header.tensors].flatMap(([name, info]) => {
    try {
      return [[name, readTensor(data, info, `${where}: tensor ${quote(name)}`)] as const];
    } catch (error) {
      if (onUnsupported === undefined || !isInputError(error)) throw error;
      onUnsupported(name, error);
      return [];
    }
  });
  return { tensors: Object.fromEntries(tensors), metadata: header.metadata };
}

type Refuse = (what: string) => InputError;

function locateHeader(bytes: Uint8Array, wrong: Refuse): { start: number; header: Header } {
  if (bytes.length < 8) throw wrong(`has ${bytes.length} bytes, too few for a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > LARGEST_HEADER)
    throw wrong(`has a header of ${length} bytes, more than ${LARGEST_HEADER}`);
  const start = 8 + Number(length);
  if (start > bytes.length)
    throw wrong(`has ${bytes.length} bytes, and its header would end at ${start}`);
  try {
    return { start, header: parseHeader(bytes.subarray(8, start)) };
  } catch (error) {
    throw wrong(
      `its header is wrong: ${truncate(error instanceof Error ? error.message : String(error))}`,
    );
  }
}

/** @throws InputError unless the tensors fill the `size` bytes of data without gaps or overlaps. */
function checkOffsets({ tensors }: Header, size: number, wrong: Refuse): void {
  let covered = 0n;
  const byOffset = [...tensors].toSorted(([, { offsets: a }], [, { offsets: b }]) =>
    Number(a[0] - b[0] || a[1] - b[1]),
  );
  for (const [name, info] of byOffset) {
    const [begin, end] = info.offsets;
    if (begin !== covered || end < begin)
      throw wrong(`tensors overlap or leave a gap at byte ${begin}`);
    const subject = `tensor ${quote(name)} of shape [${truncate(info.shape.join())}]`;
    if ((end - begin) * 8n !== countBits(info, (what) => wrong(`${subject} ${what}`)))
      throw wrong(`${subject} has ${end - begin} bytes`);
    covered = end;
  }
  if (covered > size) throw wrong(`is truncated: its data end at byte ${covered} of ${size}`);
  if (covered < size) throw wrong(`has ${BigInt(size) - covered} bytes after its last tensor`);
}

function countBits({ dtype, shape }: TensorInfo, wrong: Refuse): bigint {
  const bits = own(BITS, dtype);
  if (bits === undefined) throw wrong(`is of unknown type ${quote(dtype)}`);
  let total = 1n;
  for (const n of [...shape, bits]) {
    total *= n;
    if (total >= UINT64) throw wrong('has more values than fit in memory');
  }
  return total;
}

function readTensor(
  data: Uint8Array,
  { dtype, shape, offsets: [begin, end] }: TensorInfo,
  subject: string,
): StoredArray {
  return decodeTensor(dtype, shape.map(Number), data.subarray(Number(begin), Number(end)), subject);
}

/**
 * A tensor from its little-endian bytes, which are copied; `dtype` as safetensors calls it.
 * @throws InputError of code `unsupported`, which begins with `subject`, on a type that is not read here.
 */
export function decodeTensor(
  dtype: string,
  shape: readonly number[],
  bytes: Uint8Array,
  subject: string,
): StoredArray {
  if (!isType(dtype) || !shape.every(Number.isSafeInteger))
    throw new InputError(
      `${subject} is of type ${dtype} and shape [${truncate(shape.join())}], which is valid but not supported; convert it to one of ${Object.keys(TYPES).join(', ')}`,
      { code: 'unsupported' },
    );
  const { dtype: type, array } = TYPES[dtype];
  if (bytes.length !== sizeOf(shape) * array.BYTES_PER_ELEMENT)
    throw new InputError(
      `${subject} of shape [${truncate(shape.join())}] has ${bytes.length} bytes; the file is damaged, or its values are not raw data`,
    );
  // A copy, since a view would depend on the alignment within the file.
  const copy = new array(Uint8Array.from(bytes).buffer);
  return { shape, dtype: type, data: copy } as StoredArray;
}

const width = (type: TypeName): number => TYPES[type].array.BYTES_PER_ELEMENT;
const isType = (value: string): value is TypeName => Object.hasOwn(TYPES, value);
