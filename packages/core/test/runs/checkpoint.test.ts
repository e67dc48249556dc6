import { isRunError } from '@grok/core';
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  sha256Hex,
  writeSafetensors,
} from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

const checkpoint: Checkpoint = {
  run: 'ab'.repeat(32),
  params: {
    'unembed.W_U': { shape: [1, 2], dtype: 'float32', data: Float32Array.of(0.1, -0) },
    'embed.W_E': { shape: [1], dtype: 'float32', data: Float32Array.of(-3) },
  },
  state: {
    'adam/mu/flat': { shape: [3], dtype: 'float32', data: Float32Array.of(1, 2, 3) },
    'adam/count': { shape: [], dtype: 'int32', data: Int32Array.of(900) },
  },
  position: {
    epoch: 90,
    batch: 3,
    step: 900,
    sums: { loss: 0.1 + 0.2, correct: 7, terms: { hard: 1e-300 } },
  },
};
const where = 'runs/a/checkpoints/step-000900.safetensors';
const reject = (bytes: Uint8Array): unknown => {
  try {
    decodeCheckpoint(bytes, where);
    return undefined;
  } catch (error) {
    return error;
  }
};

describe('checkpoint', () => {
  it('reads back what it wrote, in order and bit for bit', () => {
    // Catches: reordered parameters, rounded doubles in the position, state mixed up with
    // parameters.
    const got = decodeCheckpoint(encodeCheckpoint(checkpoint), where);
    expect(got).toStrictEqual(checkpoint);
    expect(Object.keys(got.params)).toEqual(['unembed.W_U', 'embed.W_E']);
    expect(encodeCheckpoint(got)).toEqual(encodeCheckpoint(checkpoint));
  });

  it('detects a change of any byte, and names the file', () => {
    // Catches: bytes that the checksum does not cover: the header's length, padding, case of the
    // hash's own digits.
    const bytes = encodeCheckpoint(checkpoint);
    for (let i = 0; i < bytes.length; i++)
      for (const mask of [1, 0x20, 0x80, 0xff]) {
        bytes[i]! ^= mask;
        const error = reject(bytes);
        bytes[i]! ^= mask;
        expect(isRunError(error) && error.message.includes(where), `byte ${i} ^ ${mask}`).toBe(
          true,
        );
      }
    expect(reject(bytes)).toBeUndefined();
  });

  it('detects truncation at any length, and added bytes', () => {
    // Catches: a truncated file accepted as complete.
    const bytes = encodeCheckpoint(checkpoint);
    for (let length = 0; length < bytes.length; length++)
      expect(isRunError(reject(bytes.slice(0, length))), `length ${length}`).toBe(true);
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(isRunError(reject(longer))).toBe(true);
  });

  /** A file with a valid checksum over arbitrary contents. */
  const signed = (
    tensors: Parameters<typeof writeSafetensors>[0],
    { run = checkpoint.run, position = JSON.stringify(checkpoint.position) } = {},
  ): Uint8Array => {
    const metadata = { sha256: '0'.repeat(64), format: 'grok checkpoint 1', run, position };
    const bytes = writeSafetensors(tensors, metadata);
    bytes.set(new TextEncoder().encode(sha256Hex(bytes)), 8 + '{"__metadata__":{"sha256":"'.length);
    return bytes;
  };
  const floats = (...values: number[]): Checkpoint['params'][string] => ({
    shape: [values.length],
    dtype: 'float32',
    data: Float32Array.from(values),
  });
  const at = (changes: object): { position: string } => ({
    position: JSON.stringify({ ...checkpoint.position, ...changes }),
  });
  it.each([
    ['NaN', { 'params/w': floats(1, Number.NaN) }, {}, '"params/w" has NaN at 1'],
    ['infinity', { 'params/w': floats(-Infinity) }, {}, '"params/w" has -Infinity at 0'],
    ['NaN in the state', { 'state/mu': floats(Number.NaN) }, {}, '"state/mu" has NaN at 0'],
    [
      'int32',
      { 'params/w': { shape: [1], dtype: 'int32', data: Int32Array.of(1) } },
      {},
      '"params/w" has type int32; parameters must be float32',
    ],
    [
      'float64',
      { 'params/w': { shape: [1], dtype: 'float64', data: Float64Array.of(1) } },
      {},
      'has a tensor "params/w of type float64"',
    ],
    ['a foreign tensor', { w: floats(1) }, {}, 'has a tensor "w of type float32"'],
    ['epoch −5', {}, at({ epoch: -5 }), 'key "epoch": must be ≥ 0, got -5'],
    ['step 1.5', {}, at({ step: 1.5 }), 'key "step": must be an integer, got 1.5'],
    ['no run', {}, { run: 'x' }, 'has the invalid run id "x"'],
  ] as const)('refuses %s despite a valid checksum', (_, tensors, metadata, reason) => {
    // Catches: training from a file that somebody else wrote and hashed.
    expect(() => decodeCheckpoint(signed(tensors, metadata), where)).toThrow(reason);
  });
  it('accepts an infinity in optimizer state', () => {
    const { state } = decodeCheckpoint(signed({ 'state/least': floats(Infinity) }), where);
    expect(state.least?.data[0]).toBe(Infinity);
  });

  it('distinguishes foreign files and other formats from damage', () => {
    // Catches: a foreign safetensors file, or a later version, loaded as half a checkpoint.
    const foreign = writeSafetensors(checkpoint.params, { kind: 'model' });
    expect(() => decodeCheckpoint(foreign, where)).toThrow('not a grok checkpoint');
    expect(() =>
      decodeCheckpoint(new TextEncoder().encode('PK\u0003\u0004'.repeat(40)), where),
    ).toThrow('not a grok checkpoint');
    const later = writeSafetensors({}, { sha256: '0'.repeat(64), format: 'grok checkpoint 2' });
    later.set(new TextEncoder().encode(sha256Hex(later)), 8 + '{"__metadata__":{"sha256":"'.length);
    expect(() => decodeCheckpoint(later, where)).toThrow(
      `checkpoint ${where}: has format "grok checkpoint 2", this version of grok reads "grok checkpoint 1"`,
    );
  });

  it('reads from a Buffer like from other bytes', () => {
    // Catches: Buffer.slice, which shares memory where that of Uint8Array copies.
    const buffer = Buffer.from(encodeCheckpoint(checkpoint));
    const before = buffer.toString('hex');
    expect(decodeCheckpoint(buffer, where)).toStrictEqual(checkpoint);
    expect(buffer.toString('hex')).toBe(before);
  });
});
