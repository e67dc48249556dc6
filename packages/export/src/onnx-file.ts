/** The initializers of an ONNX model (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3), by field numbers. */
import { InputError, isInputError } from '@grok/core';
import { decodeTensor, quote, type StoredArray } from '@grok/core/internal';

/** The values of a message's fields in order: numbers, and bytes of what has a length. */
type Fields = ReadonlyMap<number, readonly (Uint8Array | number)[]>;

const [GRAPH, INITIALIZER] = [7, 5];
/** Fields of TensorProto. */
const [DIMS, DATA_TYPE, FLOAT_DATA, NAME, RAW_DATA, DOUBLE_DATA, DATA_LOCATION] = [
  1, 2, 4, 8, 9, 10, 14,
];
/** TensorProto.DataType, as safetensors calls it. */
const TYPES: Readonly<Record<number, string>> = {
  ...{ 1: 'F32', 2: 'U8', 3: 'I8', 4: 'U16', 5: 'I16', 6: 'I32', 7: 'I64' },
  ...{ 9: 'BOOL', 10: 'F16', 11: 'F64', 12: 'U32', 13: 'U64', 16: 'BF16' },
};

/** Names and values of the initializers. @throws InputError that names `where` on a damaged file, or values that lie elsewhere. */
export function readInitializers(
  bytes: Uint8Array,
  where: string,
  onUnsupported: (name: string, error: InputError) => void,
): readonly (readonly [string, StoredArray])[] {
  const model = readFields(bytes, where);
  const [graph] = model.get(GRAPH) ?? [];
  if (!(graph instanceof Uint8Array))
    throw new InputError(`${where}: has no graph; the file is damaged or not an ONNX model`);
  return (readFields(graph, where).get(INITIALIZER) ?? []).flatMap((tensor) => {
    if (!(tensor instanceof Uint8Array)) return [];
    const fields = readFields(tensor, where);
    const name = readText(fields.get(NAME)?.at(-1));
    try {
      return [[name, readTensor(fields, `${where}: tensor ${quote(name)}`)] as const];
    } catch (error) {
      if (!isInputError(error) || error.code !== 'unsupported') throw error;
      onUnsupported(name, error);
      return [];
    }
  });
}

const readText = (bytes: Uint8Array | number | undefined): string =>
  bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : '';

/** A message in protobuf's wire format (https://protobuf.dev/programming-guides/encoding). */
function readFields(bytes: Uint8Array, where: string): Fields {
  const fields = new Map<number, (Uint8Array | number)[]>();
  const damaged = (): InputError =>
    new InputError(`${where}: is cut short; the file is damaged or not an ONNX model`);
  const reader = createReader(bytes, damaged);
  while (!reader.isDone()) {
    const tag = reader.readVarint();
    const field = Math.floor(tag / 8);
    const values = fields.get(field) ?? [];
    fields.set(field, values);
    switch (tag % 8) {
      case 0:
        values.push(reader.readVarint());
        break;
      case 1:
        reader.readBytes(8);
        break;
      case 2:
        values.push(reader.readBytes(reader.readVarint()));
        break;
      case 5:
        reader.readBytes(4);
        break;
      default:
        throw damaged();
    }
  }
  return fields;
}

interface Reader {
  isDone(): boolean;
  /** An unsigned integer of seven bits a byte, the lowest first. */
  readVarint(): number;
  readBytes(length: number): Uint8Array;
}

function createReader(bytes: Uint8Array, damaged: () => InputError): Reader {
  let at = 0;
  return {
    isDone: () => at >= bytes.length,
    readVarint() {
      let value = 0;
      for (let shift = 0; shift < 70; shift += 7) {
        const byte = bytes[at++];
        if (byte === undefined) throw damaged();
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) return value;
      }
      throw damaged();
    },
    readBytes(length) {
      if (length > bytes.length - at) throw damaged();
      at += length;
      return bytes.subarray(at - length, at);
    },
  };
}

function readTensor(fields: Fields, subject: string): StoredArray {
  const last = (field: number): Uint8Array | number | undefined => fields.get(field)?.at(-1);
  if (last(DATA_LOCATION) === 1)
    throw new InputError(`${subject} lies in another file; save the model with its data inside`);
  const shape = (fields.get(DIMS) ?? []).flatMap((value) => readIntegers(value, subject));
  const type = Number(last(DATA_TYPE) ?? 0);
  const dtype = TYPES[type] ?? `ONNX ${type}`;
  const bytes = last(RAW_DATA) ?? last(FLOAT_DATA) ?? last(DOUBLE_DATA) ?? new Uint8Array();
  if (!(bytes instanceof Uint8Array))
    throw new InputError(`${subject} is written value by value; save it as raw data`);
  return decodeTensor(dtype, shape, bytes, subject);
}

/** A repeated field of integers: one of them, or several packed. */
function readIntegers(value: Uint8Array | number, subject: string): readonly number[] {
  if (typeof value === 'number') return [value];
  const reader = createReader(value, () => new InputError(`${subject}: the file is damaged`));
  const found: number[] = [];
  while (!reader.isDone()) found.push(reader.readVarint());
  return found;
}
