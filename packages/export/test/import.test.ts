/** Files of other programs: every type of number is read or refused by name, and layouts are never guessed. */
import { type HostParams, isInputError, type TensorSpec } from '@grok/core';
import { type StoredArray, writeSafetensors } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import { mapParams, PARAM_MAPS, type ParamMap, readTensors } from '../src/index.js';

const f32 = (shape: readonly number[], ...data: number[]): StoredArray => ({
  ...{ shape, dtype: 'float32' },
  data: Float32Array.from(data),
});
const spec = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });
const load = (
  tensors: Readonly<Record<string, StoredArray>>,
  wanted: Readonly<Record<string, TensorSpec>>,
  map: ParamMap = {},
): HostParams => mapParams(readTensors(writeSafetensors(tensors), 'file'), map, wanted);
const values = (params: HostParams): number[] =>
  Object.values(params).flatMap(({ data }) => [...data]);

describe('types', () => {
  it('float16, bfloat16 and float64 become float32', () => {
    // Catches: subnormals, infinities or the sign read wrong, the halves of a bfloat16 exchanged.
    const half = [0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x3555];
    const tensors: Record<string, StoredArray> = {
      a: { shape: [6], dtype: 'float16', data: Uint16Array.from(half) },
      b: { shape: [2], dtype: 'bfloat16', data: Uint16Array.of(0x3f80, 0xc2c8) },
      c: { shape: [2], dtype: 'float64', data: Float64Array.of(0.1, -1e-3) },
    };
    expect(values(load(tensors, { a: spec(6), b: spec(2), c: spec(2) }))).toEqual([
      ...[1, -2, 2 ** -24, 65504, -0, 0.333251953125, 1, -100],
      ...[Math.fround(0.1), Math.fround(-1e-3)],
    ]);
  });
  it('integers are refused by name where a parameter is one, and passed over where none is', () => {
    const ints: StoredArray = { shape: [1], dtype: 'int32', data: Int32Array.of(0) };
    expect(() => load({ w: ints }, { w: spec(1) })).toThrow(
      'file: tensor "w" is of type int32; parameters must be floating-point numbers',
    );
    const eight = writeSafetensors({ n: f32([1], 0), w: f32([1], 2) });
    const text = Buffer.from(eight)
      .toString('latin1')
      .replace('"n":{"dtype":"F32"', '"n":{"dtype":"I32"');
    const tensors = readTensors(Buffer.from(text.replace('I32', 'U32'), 'latin1'), 'file');
    expect(values(mapParams(tensors, {}, { w: spec(1) }))).toEqual([2]);
    expect(() => mapParams(tensors, {}, { n: spec(1) })).toThrow('tensor "n" is of type U32');
  });
  it('infinities and NaN are refused', () => {
    expect(() => load({ w: f32([2], 1, Number.NaN) }, { w: spec(2) })).toThrow(
      'has NaN at 1; parameters must be finite',
    );
  });
});

describe('names and layouts', () => {
  it('are mapped by name and by pattern, with transposed axes', () => {
    // Catches: [out, in] taken for [in, out], the stars of a pattern filled in another order.
    const tensors = {
      'h.0.mlp.w': f32([2, 3], 1, 2, 3, 4, 5, 6),
      'h.1.mlp.w': f32([2, 3], 7, 8, 9, 10, 11, 12),
      wte: f32([1], 0.5),
    };
    const map = {
      params: { embed: 'wte', 'blocks.*.mlp.*': { from: 'h.*.mlp.*', transpose: [1, 0] } },
    };
    const wanted = { embed: spec(1), 'blocks.0.mlp.w': spec(3, 2), 'blocks.1.mlp.w': spec(3, 2) };
    expect(values(load(tensors, wanted, map))).toEqual([
      ...[0.5, 1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12],
    ]);
  });
  it('a head’s matrices of TransformerLens become columns side by side', () => {
    const tensors = {
      'blocks.0.attn.W_Q': f32([2, 2, 1], 1, 2, 3, 4),
      'blocks.0.attn.b_Q': f32([2, 1], 0, 0),
    };
    for (const name of ['W_K', 'W_V'])
      Object.assign(tensors, { [`blocks.0.attn.${name}`]: f32([2, 2, 1], 5, 6, 7, 8) });
    const wanted = Object.fromEntries(
      ['W_Q', 'W_K', 'W_V'].map((name) => [`blocks.0.attn.${name}`, spec(2, 2)]),
    );
    expect(values(load(tensors, wanted, PARAM_MAPS.transformerlens))).toEqual([
      ...[1, 3, 2, 4],
      ...[5, 7, 6, 8],
      ...[5, 7, 6, 8],
    ]);
  });
  it.each<[Record<string, StoredArray>, ParamMap, string]>([
    [
      { v: f32([1], 1) },
      {},
      'parameter "w": unknown tensor "w": did you mean "v"? Known: v; name its tensor in the map',
    ],
    [
      { w: f32([2, 3], 1, 2, 3, 4, 5, 6) },
      {},
      'has shape [2, 3], and the model needs [3, 2]; give "transpose": [1, 0]',
    ],
    [
      { w: f32([6], 1, 2, 3, 4, 5, 6), b: f32([1], 1) },
      {},
      'the file has 1 tensor that no parameter reads: "b"; map them, or name them under "ignore"',
    ],
    [
      { w: f32([6], 1, 2, 3, 4, 5, 6) },
      { params: { w: { from: 'w', transpose: [1] } } },
      '"transpose" must list the axes 0 in some order, got [1]',
    ],
    [{ w: f32([6], 1, 2, 3, 4, 5, 6) }, { params: { u: 'w' } }, 'unknown parameter "u"'],
  ])('refuses %#', (tensors, map, rule) => {
    // Catches: values scrambled by a reshape that fits by chance, a bias that is silently lost.
    expect(() => load(tensors, { w: spec(3, 2) }, map)).toThrow(rule);
  });
  it('what a model computes the same without may be ignored', () => {
    const tensors = { w: f32([1], 1), 'attn.mask': f32([1], 1), zero: f32([1], 0) };
    expect(values(load(tensors, { w: spec(1) }, { ignore: ['attn.*'] }))).toEqual([1]);
  });
});

describe('files', () => {
  it.each([
    ['model.pt', 'must be safetensors or ONNX; PyTorch pickles run code when they are read'],
    ['model.onnx', 'the file is damaged or not an ONNX model'],
    ['model.safetensors', 'too few for a header'],
  ])('%s that is none is refused', (name, rule) => {
    let found: unknown;
    try {
      readTensors(Uint8Array.of(7, 1, 2), name);
    } catch (error) {
      found = error;
    }
    expect(isInputError(found) && found.message).toContain(rule);
  });
});
