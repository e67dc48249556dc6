/** A file of the reference's results: its settings, and its tensors by prefix. */
import { type HostArray, InputError } from '@grok/core';
import { readSafetensors, type StoredArray } from '@grok/core/internal';

/** A fixture file. */
export interface ParityFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}
/** Tensors by name, with a common prefix removed. */
export type Group = Readonly<Record<string, StoredArray>>;
/** A safetensors case. */
export interface ParityCase {
  readonly file: string;
  readonly kind: string;
  /** Reads a setting. @throws InputError when the file does not have it and there is no default. */
  setting<T>(name: string, otherwise?: T): T;
  /** Tensors whose names start with `prefix`, in the file's order. */
  group(prefix: string): Group;
  /** Returns one tensor. @throws InputError when the file does not have it. */
  tensor(name: string): StoredArray;
}

/** Reads a safetensors case. @throws InputError when it is not one. */
export function parityCase({ name, bytes }: ParityFile): ParityCase {
  const { tensors, metadata } = readSafetensors(bytes, name);
  const settings = new Map(Object.entries(metadata).map(([key, text]) => [key, JSON.parse(text)]));
  const self: ParityCase = {
    file: name,
    kind: String(settings.get('kind')),
    setting(key, otherwise) {
      const value = settings.get(key) ?? otherwise;
      if (value === undefined) throw new InputError(`${name}: its metadata lack "${key}"`);
      return value;
    },
    group: (prefix) =>
      Object.fromEntries(
        Object.entries(tensors)
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, tensor]) => [key.slice(prefix.length), tensor]),
      ),
    tensor(key) {
      const tensor = tensors[key];
      if (tensor === undefined) throw new InputError(`${name}: has no tensor "${key}"`);
      return tensor;
    },
  };
  return self;
}

/** Converts a stored array for a backend: float64 becomes float32, uint8 becomes bool. */
export function hostArray({ data, shape, dtype }: StoredArray): HostArray {
  if (dtype === 'float64') return { shape, dtype: 'float32', data: Float32Array.from(data) };
  if (dtype === 'uint8') return { shape, dtype: 'bool', data: data as Uint8Array };
  return { shape, dtype, data } as HostArray;
}
/** Converts every array of a group for a backend. */
export function hostArrays(group: Group): Record<string, HostArray> {
  return Object.fromEntries(Object.entries(group).map(([key, value]) => [key, hostArray(value)]));
}

/** Task names by the operation names in the files. */
export const TASK_OF: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
};
