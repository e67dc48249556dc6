import { experimentHash, paramsSha256 } from '@grok/core';
import { canonicalJson, sha256Hex, splitHash, taskHash } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

describe('sha256Hex', () => {
  it('matches FIPS 180-4, whole or in parts', () => {
    // Catches: another hash, upper case, or parts hashed separately.
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(sha256Hex('abc')).toBe(abc);
    expect(sha256Hex('a', new Uint8Array([98, 99]))).toBe(abc);
    expect(sha256Hex()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});

describe('canonicalJson', () => {
  it('matches the example of RFC 8785', () => {
    // Catches: nonstandard numbers, escapes or key order.
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts keys by UTF-16 code units at every depth', () => {
    // Catches: sorting by locale or by code point (the emoji comes before U+FB33).
    const value = {
      '\ufb33': 1,
      '\u{1f600}': 2,
      b: { z: 1, a: 2 },
      a: [{ d: 1, c: 2 }],
      B: 0,
      10: 1,
      9: 1,
    };
    expect(canonicalJson(value)).toBe(
      '{"10":1,"9":1,"B":0,"a":[{"c":2,"d":1}],"b":{"a":2,"z":1},"\u{1f600}":2,"\ufb33":1}',
    );
  });

  it('omits undefined and rejects values that JSON would change', () => {
    // Catches: NaN hashed as null; a Float32Array hashed as an object; a cycle that never ends.
    expect(canonicalJson({ a: undefined, b: -0 })).toBe('{"b":0}');
    expect(() => canonicalJson({ a: { lr: Number.NaN } })).toThrow('JSON at a.lr: NaN');
    expect(() => canonicalJson([1, Number.POSITIVE_INFINITY])).toThrow('JSON at [1]: Infinity');
    expect(() => canonicalJson({ a: [undefined] })).toThrow('a[0]: a value of type undefined');
    expect(() => canonicalJson({ a: new Float32Array(1) })).toThrow('an instance of Float32Array');
    expect(() => canonicalJson(1n)).toThrow('(top): a value of type bigint');
    const loop: Record<string, unknown> = {};
    loop.self = { loop };
    expect(() => canonicalJson(loop)).toThrow('a circular reference');
    const shared = { x: 1 };
    expect(canonicalJson([shared, shared])).toBe('[{"x":1},{"x":1}]');
  });
});

describe('hashes', () => {
  const experiment = {
    task: { use: 'div', options: { p: 97 } },
    model: { use: 'transformer' },
    optimizer: { use: 'adamw' },
    batch: 512,
    epochs: 150,
    seed: 42,
  };
  it('of an experiment do not depend on key order', () => {
    // Catches: two hashes for one experiment whose keys are ordered differently; one hash for two
    // experiments.
    const turned = Object.fromEntries(Object.entries(experiment).reverse()) as typeof experiment;
    expect(experimentHash(turned)).toBe(experimentHash(experiment));
    expect(experimentHash({ ...experiment, seed: 43 })).not.toBe(experimentHash(experiment));
  });
  it('of an experiment do not depend on its length (catches: a new id for an extended run)', () => {
    expect(experimentHash({ ...experiment, epochs: 10 })).toBe(experimentHash(experiment));
    expect(experimentHash({ ...experiment, batch: 64 })).not.toBe(experimentHash(experiment));
  });

  it('of parameters cover the float32 bytes in the given order', () => {
    // Catches: float64 bytes, sorted names, or the whole buffer behind a view.
    const whole = Float32Array.of(9, 1, -2, 9);
    const a = { shape: [2], dtype: 'float32', data: whole.subarray(1, 3) } as const;
    const b = { shape: [1], dtype: 'float32', data: Float32Array.of(0.5) } as const;
    const bytes = Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 192, 0, 0, 0, 63);
    expect(paramsSha256({ z: a, a: b })).toBe(sha256Hex(bytes));
    expect(paramsSha256({ a: b, z: a })).not.toBe(sha256Hex(bytes));
  });

  it('of a task distinguish rows and labels', () => {
    // Catches: division hashed like subtraction, features like tokens, one shape like another.
    const data = Int32Array.of(0, 1, 1, 0);
    const inputs = { data, shape: [2, 2], dtype: 'int32' } as const;
    const task = { vocabulary: 2, inputs, labels: Int32Array.of(1, 0), show: String };
    expect(taskHash({ ...task, inputs: { ...inputs, data: data.slice() } })).toBe(taskHash(task));
    const others = [
      { ...task, vocabulary: 3 },
      { ...task, labels: Int32Array.of(0, 1) },
      { ...task, inputs: { ...inputs, data: data.with(0, 1) } },
      { ...task, inputs: { ...inputs, shape: [2, 2, 1] } },
      { ...task, inputs: { ...inputs, dtype: 'float32', data: new Float32Array(data.buffer) } },
    ] as const;
    expect(new Set([task, ...others].map(taskHash)).size).toBe(6);
  });

  it('of a split use little-endian int32', () => {
    // Catches: swapped sides, 64-bit or big-endian numbers, one permutation cut in two places.
    const rows = { train: Int32Array.of(258), validation: Int32Array.of(1) };
    expect(splitHash(rows)).toBe(sha256Hex(Uint8Array.of(1, 0, 0, 0, 2, 1, 0, 0, 1, 0, 0, 0)));
    const empty = { train: Int32Array.of(258, 1), validation: new Int32Array() };
    expect(splitHash(empty)).not.toBe(splitHash(rows));
  });
});
