/** Models and values written by TransformerLens (`fixtures/transformer-lens/make.py`). */
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  type HostArray,
  type HostParams,
  type Model,
  openBackend,
} from '@grok/core';
import { reader, readSafetensors } from '@grok/core/internal';
import { type HookedModel, hookModel, type PatchingPairs } from '@grok/interp';
import { transformer } from '@grok/model';

export const FIXTURES = [
  'transformer-div23-heads1',
  'transformer-div23-heads4',
  'nanda-add29-heads1',
  'nanda-add29-heads4',
] as const;

export interface Fixture {
  readonly model: Model;
  readonly params: HostParams;
  readonly pairs: PatchingPairs;
  readonly heads: number;
  readonly layers: number;
  /** Returns a tensor of the file. */
  get(name: string): HostArray;
  /** Names of tensors with a prefix, without the prefix. */
  names(prefix: string): readonly string[];
}

/** The URL of a fixture's file. */
export const fixtureUrl = (name: string): URL =>
  new URL(`../fixtures/transformer-lens/${name}.safetensors`, import.meta.url);

/** Decodes a fixture from its file's bytes. */
export function decodeFixture(bytes: Uint8Array, name: string): Fixture {
  const { tensors, metadata } = readSafetensors(bytes, name);
  const about = JSON.parse(metadata.about ?? '{}') as { model: string; p: number; heads: number };
  const read = reader('tensor', tensors);
  const get = (name: string): HostArray => {
    const { data, shape, dtype } = read(name);
    return dtype === 'int32'
      ? { data: Int32Array.from(data), shape, dtype }
      : { data: Float32Array.from(data), shape, dtype: 'float32' };
  };
  const names = (prefix: string): readonly string[] =>
    Object.keys(tensors)
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
  const isNanda = about.model === 'nanda';
  const options = { dim: 16, dMlp: 32, heads: about.heads, depth: isNanda ? 1 : 2 };
  const nanda = { norm: 'none', positions: 'learned', mlp: 'relu' } as const;
  const model = transformer({ ...options, ...(isNanda ? nanda : {}) })({
    vocabulary: about.p + 2,
    inputs: { shape: [1, 4], dtype: 'int32' },
  });
  return {
    ...{ model, get, names, heads: about.heads, layers: options.depth },
    params: Object.fromEntries(names('params/').map((key) => [key, get(`params/${key}`)])),
    pairs: {
      clean: {
        inputs: get('clean'),
        labels: Int32Array.from(get('answers').data),
        wrong: Int32Array.from(get('wrong').data),
      },
      corrupted: get('corrupted'),
    },
  };
}

/** Hooks a fixture's model on a backend, and releases both after `use`. */
export async function withModel(
  fixture: Fixture,
  name: string,
  use: (model: HookedModel) => Promise<void>,
): Promise<void> {
  const backend = await openBackend(createRegistry([onnx, wasm]), { backend: name, threads: 1 });
  const model = hookModel({ backend, model: fixture.model, params: fixture.params });
  try {
    await use(model);
  } finally {
    model.dispose();
    await backend.dispose();
  }
}

/** The largest difference between two lists of numbers; NaN if their lengths differ. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN;
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - (b[i] ?? Number.NaN))));
}
