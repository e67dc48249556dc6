/** The reference's results from the parity fixtures. */
import { readdirSync, readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-cpu';
import { readSafetensors, type StoredArray } from '@grok/core/internal';
import * as tf from '@grok/tfjs';

const folder = new URL('../../../tests/fixtures/', import.meta.url);

/** Tensors by name, with a common prefix removed. */
export type Group = Readonly<Record<string, StoredArray>>;
export interface Fixture {
  readonly file: string;
  /** Parsed settings. */
  readonly settings: Readonly<Record<string, string | number>>;
  group(prefix: string): Group;
}

/** All fixtures of the given kinds. */
export function fixtures(...kinds: readonly string[]): readonly Fixture[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.safetensors'))
    .map((file) => {
      const { tensors, metadata } = readSafetensors(readFileSync(new URL(file, folder)), file);
      const settings = Object.fromEntries(
        Object.entries(metadata).map(([key, value]) => [key, JSON.parse(value)]),
      ) as Fixture['settings'];
      const group = (prefix: string): Group =>
        Object.fromEntries(
          Object.entries(tensors)
            .filter(([name]) => name.startsWith(prefix))
            .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
        );
      return { file, settings, group };
    })
    .filter(({ settings }) => kinds.includes(settings.kind as string));
}

/** A stored array as a tensor; float64 becomes float32, uint8 becomes bool. */
export function toTensor({ data, shape, dtype }: StoredArray): tf.Tensor {
  const type = dtype === 'int32' ? 'int32' : dtype.startsWith('float') ? 'float32' : 'bool';
  return tf.tensor(type === 'float32' ? Float32Array.from(data) : data, [...shape], type);
}
