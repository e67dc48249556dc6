import { readFileSync } from 'node:fs';
import { isInputError } from '@grok/core';
import { readSafetensors, type StoredArray, writeSafetensors } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

const tensors: Record<string, StoredArray> = {
  mask: { shape: [3], dtype: 'bool', data: Uint8Array.of(1, 0, 1) },
  'b/weights': { shape: [2, 2], dtype: 'float32', data: Float32Array.of(1, -0, Number.NaN, 1e-40) },
  'a "quoted" é': { shape: [], dtype: 'int32', data: Int32Array.of(-7) },
  wide: { shape: [1], dtype: 'float64', data: Float64Array.of(Math.PI) },
  bytes: { shape: [1, 2], dtype: 'uint8', data: Uint8Array.of(0, 255) },
  empty: { shape: [0, 4], dtype: 'float32', data: new Float32Array() },
};
const headerLength = (bytes: Uint8Array): number =>
  Number(new DataView(bytes.buffer).getBigUint64(0, true));
/** A file with a custom header. */
const file = (header: string, data = new Uint8Array()): Uint8Array => {
  const json = new TextEncoder().encode(header);
  const out = new Uint8Array(8 + json.length + data.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  out.set(data, 8 + json.length);
  return out;
};

describe('safetensors', () => {
  it('reads back what it wrote, bit for bit and in order', () => {
    // Catches: lost order (the parameters' hash needs it), NaN or −0 changed, views into the file.
    const bytes = writeSafetensors(tensors, { note: 'β = .98\n' });
    const read = readSafetensors(bytes, 'x');
    expect(Object.keys(read.tensors)).toEqual(Object.keys(tensors));
    expect(read.metadata).toEqual({ note: 'β = .98\n' });
    for (const [name, want] of Object.entries(tensors)) {
      const got = read.tensors[name];
      expect([got?.shape, got?.dtype]).toEqual([want.shape, want.dtype]);
      expect(got?.data).toStrictEqual(want.data);
    }
    bytes.fill(0);
    expect(read.tensors.wide?.data[0]).toBe(Math.PI);
  });

  it('aligns data for readers that memory-map the file', () => {
    // Catches: data that starts off the 8-byte grid, or a float64 after three bytes of a mask.
    const bytes = writeSafetensors(tensors);
    const length = headerLength(bytes);
    expect(length % 8).toBe(0);
    const sizes = { F64: 8, F32: 4, I32: 4, U8: 1, BOOL: 1 };
    const { __metadata__, ...entries } = JSON.parse(
      new TextDecoder().decode(bytes.subarray(8, 8 + length)),
    ) as Record<string, { dtype: keyof typeof sizes; data_offsets: [number, number] }>;
    for (const [name, { dtype, data_offsets }] of Object.entries(entries))
      expect(data_offsets[0] % sizes[dtype], name).toBe(0);
  });

  it('writes only the viewed part of a buffer', () => {
    // Catches: the whole buffer written for a subarray.
    const part = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const bytes = writeSafetensors({ part: { shape: [2], dtype: 'float32', data: part } });
    expect(readSafetensors(bytes, 'x').tensors.part?.data).toStrictEqual(Float32Array.of(2, 3));
  });

  it('reads files of another writer, including from a Buffer', () => {
    // Catches: metadata after the tensors or absent, F64, and Buffer.slice, which does not copy.
    const path = new URL('../../../../tests/fixtures/metrics.safetensors', import.meta.url);
    const { tensors: got, metadata } = readSafetensors(readFileSync(path), 'metrics');
    expect(metadata).toEqual({ kind: '"metrics"', threshold: '0.01' });
    expect(got['cka/X,Y']?.data).toStrictEqual(Float64Array.of(0.8338744165978313));
    expect([got.attention?.dtype, got.attention?.shape]).toEqual(['float32', [5, 2, 4, 4]]);
    const rows = (got.attention!.data as Float32Array).subarray(0, 4).reduce((a, b) => a + b);
    expect(rows).toBeCloseTo(1, 5);
  });

  it('refuses data that does not fill its shape or type', () => {
    // Catches: writing a file that no reader accepts.
    const data = Float32Array.of(1, 2);
    expect(() => writeSafetensors({ w: { shape: [3], dtype: 'float32', data } })).toThrow(
      'tensor "w": shape [3] needs 3 values, got 2',
    );
    expect(() => writeSafetensors({ w: { shape: [2], dtype: 'int32', data } })).toThrow(
      'tensor "w": its data do not match its type int32',
    );
  });

  it('names the file when it is truncated at any length', () => {
    // Catches: a short read accepted as a smaller tensor.
    const bytes = writeSafetensors(tensors);
    for (let length = 0; length < bytes.length; length++)
      expect(() => readSafetensors(bytes.slice(0, length), 'runs/x.st')).toThrow('runs/x.st: ');
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(() => readSafetensors(longer, 'x')).toThrow('has 1 bytes after its last tensor');
  });

  it('refuses invalid headers', () => {
    // Catches: trust in offsets, shapes and types that a file merely claims.
    const one = (dtype: string, shape: string, offsets: string): Uint8Array =>
      file(
        `{"w":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`,
        new Uint8Array(8),
      );
    expect(() => readSafetensors(one('toString', '[4]', '[0,8]'), 'x')).toThrow(
      'is of unknown type "toString"',
    );
    expect(() => readSafetensors(one('F32', '[3]', '[0,8]'), 'x')).toThrow('shape [3] has 8 bytes');
    expect(() => readSafetensors(one('F32', '[-2]', '[8,0]'), 'x')).toThrow(
      'must have a "shape" of integers',
    );
    expect(() => readSafetensors(one('F32', '[1]', '[4,8]'), 'x')).toThrow('leave a gap at byte 4');
    for (const header of ['[]', 'null', '3', '{"w":1}', '{"__metadata__":{"a":1}}', '{'])
      expect(() => readSafetensors(file(header), 'x'), header).toThrow('its header is wrong: ');
    const huge = file('{}');
    huge.set([1, 0xe1, 0xf5, 5]); // 100,000,001
    expect(() => readSafetensors(huge, 'x')).toThrow('has a header of 100000001 bytes');
    huge.set([0]);
    expect(() => readSafetensors(huge, 'x')).toThrow('its header would end at');
  });

  it('reports a valid file with an unsupported type as valid', () => {
    // Catches: a file of eight-bit numbers called damaged.
    const half = file(
      '{"w":{"dtype":"F8_E5M2","shape":[8],"data_offsets":[0,8]}}',
      new Uint8Array(8),
    );
    expect(() => readSafetensors(half, 'x')).toThrow(
      'x: tensor "w" is of type F8_E5M2 and shape [8], which is valid but not supported; convert it to one of F64, F32, I32, F16, BF16, U8, BOOL',
    );
  });

  it('agrees with Python’s safetensors on every file of a mutated set', () => {
    // Catches: numbers such as 2.0, a duplicate name, a byte order mark or `__metadata__: null`
    // handled differently.
    const path = new URL('safetensors-verdicts.json', import.meta.url);
    const verdicts: [file: string, verdict: Record<string, [string, number[]]> | null][] =
      JSON.parse(readFileSync(path, 'utf8'));
    expect(verdicts.filter(([, verdict]) => verdict !== null).length).toBeGreaterThan(50);
    const wrong = verdicts.filter(([text, verdict]) => {
      const want = verdict === null ? null : summarize(verdict);
      const got = read(Buffer.from(text, 'base64'));
      return got !== want && !(got === 'unsupported' && verdict !== null);
    });
    expect(wrong.map(([text]) => Buffer.from(text, 'base64').toString('latin1'))).toEqual([]);
  });
});

const TYPES: Readonly<Record<string, string>> = {
  ...{ F64: 'float64', F32: 'float32', I32: 'int32', U8: 'uint8', BOOL: 'bool' },
};

/** Names, types and shapes, sorted. */
function summarize(
  tensors: Readonly<Record<string, readonly [string, readonly number[]]>>,
): string {
  const all = Object.entries(tensors).map(([name, [type, shape]]) => [name, TYPES[type], shape]);
  return JSON.stringify(all.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/** The contents of a file; null if it is refused. */
function read(bytes: Uint8Array): string | null {
  try {
    const all = Object.entries(readSafetensors(bytes, 'x').tensors);
    const short = Object.fromEntries(Object.entries(TYPES).map(([type, dtype]) => [dtype, type]));
    return summarize(
      Object.fromEntries(
        all.map(([name, { dtype, shape }]) => [name, [short[dtype] ?? '', shape] as const]),
      ),
    );
  } catch (error) {
    if (!isInputError(error)) throw error;
    return error.code === 'unsupported' ? 'unsupported' : null;
  }
}
