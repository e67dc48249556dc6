import { readFileSync } from 'node:fs';
import { sha256Hex } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';
import { modularTask, mt19937, numpy, numpyPermutation, type Operation } from '../src/index.js';

interface Fixture {
  numpy_permutation: { seed: number; n: number; first: number[]; sha256: string }[];
  splits: {
    p: number;
    op: string;
    train_fraction: number;
    seed: number;
    n_train: number;
    n_val: number;
    first_train: number[][];
    first_labels: number[];
    sha256_train_tokens: string;
    sha256_train_labels: string;
    sha256_val_tokens: string;
    sha256_val_labels: string;
  }[];
}
const fixture = JSON.parse(
  readFileSync(new URL('../../../tests/fixtures/splits.json', import.meta.url), 'utf8'),
) as Fixture;
const OPERATIONS: Record<string, Operation> = { '+': 'add', '-': 'sub', '*': 'mul', '/': 'div' };

const bytes = (values: Int32Array): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);
const takeRows = (tokens: Int32Array, rows: Int32Array): Int32Array =>
  Int32Array.from([...rows].flatMap((row) => [...tokens.slice(4 * row, 4 * row + 4)]));

describe('numpy’s generator', () => {
  it('produces the Mersenne Twister’s known words', () => {
    // Catches: signed arithmetic in the twist or the tempering. The words are from C++'s
    // std::mt19937(5489).
    const next = mt19937(5489);
    expect([next(), next(), next()]).toEqual([3499211612, 581869302, 3890346734]);
    for (let i = 3; i < 9999; i++) next();
    expect(next()).toBe(4123659995);
  });

  it.each(fixture.numpy_permutation)('permutes $n with seed $seed as NumPy does', (known) => {
    // Catches: scaling instead of masking and rejection; an off-by-one error in the shuffle.
    const got = numpyPermutation(known.n, known.seed);
    expect([...got.slice(0, known.first.length)]).toEqual(known.first);
    expect(sha256Hex(bytes(got))).toBe(known.sha256);
  });

  it('refuses seeds that NumPy refuses', () => {
    // Catches: a large seed silently truncated to 32 bits, so that two seeds share a split.
    for (const seed of [-1, 0.5, 2 ** 32, Number.NaN])
      expect(() => numpyPermutation(10, seed)).toThrow('from 0 to 4294967295');
  });
});

describe('split "numpy"', () => {
  it.each(fixture.splits)('p $p, $op, fraction $train_fraction, seed $seed', (known) => {
    // Catches: any difference from the reference's rows, tokens, labels or their order.
    const task = modularTask(OPERATIONS[known.op]!, known.p);
    const { train, validation } = numpy({ trainFraction: known.train_fraction })(
      task.labels.length,
      known.seed,
    );
    expect([train.length, validation.length]).toEqual([known.n_train, known.n_val]);
    const tokens = task.inputs.data as Int32Array;
    const trainTokens = takeRows(tokens, train);
    expect([...trainTokens.slice(0, 12)]).toEqual(known.first_train.flat());
    const hashes = [
      trainTokens,
      train.map((row) => task.labels[row]!),
      takeRows(tokens, validation),
      validation.map((row) => task.labels[row]!),
    ].map((values) => sha256Hex(bytes(values)));
    expect(hashes).toEqual([
      known.sha256_train_tokens,
      known.sha256_train_labels,
      known.sha256_val_tokens,
      known.sha256_val_labels,
    ]);
  });

  it('refuses fractions that leave one side empty', () => {
    // Catches: a run without training rows.
    for (const trainFraction of [0, 1, -0.5, 2])
      expect(() => numpy({ trainFraction })).toThrow('split "numpy": option "trainFraction"');
    expect(() => numpy({ trainFraction: 0.1 })(5, 0)).toThrow('leaves none of 5 rows');
  });
});
