/** The tensors of a file that another program wrote: safetensors, or the initializers of an ONNX model. */
import { InputError } from '@grok/core';
import { quote, readSafetensors, type StoredArray } from '@grok/core/internal';
import { readInitializers } from './onnx-file.js';

/** A tensor whose values are read when they are asked for. */
export interface SourceTensor {
  readonly shape: readonly number[];
  /** Values as float32. @throws InputError on integers, which are no parameters. */
  read(): Float32Array;
  /** Whether a model may compute the same without it: zeros, what is no parameter, and any constant of a graph. */
  canBeSkipped(): boolean;
}

/** Files that hold tensors in other forms, by their ending, and what to do. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [
    /\.(pt|pth|bin|ckpt|pkl)$/i,
    'PyTorch pickles run code when they are read; write safetensors with safetensors.torch.save_file',
  ],
  [/\.(npz|npy)$/i, 'write safetensors with safetensors.numpy.save_file'],
  [/\.(h5|keras|msgpack|gguf)$/i, 'write safetensors with the safetensors package of Python'],
];

/** The tensors of a file by name. @throws InputError that names `where` on a file of another kind, or a damaged one. */
export function readTensors(bytes: Uint8Array, where: string): ReadonlyMap<string, SourceTensor> {
  const other = OTHERS.find(([ending]) => ending.test(where));
  if (other !== undefined)
    throw new InputError(`${where}: must be safetensors or ONNX; ${other[1]}`);
  const unsupported = new Map<string, SourceTensor>();
  const onUnsupported = (name: string, error: InputError): void => {
    unsupported.set(name, refuse(error));
  };
  const isOnnx = /\.onnx$/i.test(where);
  const stored = isOnnx
    ? readInitializers(bytes, where, onUnsupported)
    : Object.entries(readSafetensors(bytes, where, onUnsupported).tensors);
  const tensors = stored.map(
    ([name, array]) => [name, toSource(array, `${where}: tensor ${quote(name)}`, isOnnx)] as const,
  );
  return new Map([...tensors, ...unsupported]);
}

/** A tensor that can be left out, and not be read. */
function refuse(error: InputError): SourceTensor {
  return {
    shape: [],
    read() {
      throw error;
    },
    canBeSkipped: () => true,
  };
}

function toSource(array: StoredArray, subject: string, isOnnx: boolean): SourceTensor {
  return {
    shape: array.shape,
    read() {
      switch (array.dtype) {
        case 'float32':
        case 'float64':
          return Float32Array.from(array.data);
        case 'float16':
          return Float32Array.from(array.data, fromFloat16);
        case 'bfloat16':
          return new Float32Array(Uint32Array.from(array.data, (bits) => bits << 16).buffer);
        default:
          throw new InputError(
            `${subject} is of type ${array.dtype}; parameters must be floating-point numbers`,
          );
      }
    },
    canBeSkipped: () => isOnnx || array.data.every((value: number) => value === 0),
  };
}

/** IEEE 754 binary16: a sign, five bits of exponent, ten of fraction. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
