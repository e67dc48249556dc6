import { describe, expect, it } from 'vitest';
import { add, div, modularTask, mul, type Operation, sub } from '../src/index.js';

const tables: readonly [Operation, string, (a: bigint, b: bigint, p: bigint) => bigint][] = [
  ['add', '+', (a, b, p) => (a + b) % p],
  ['sub', '-', (a, b, p) => (((a - b) % p) + p) % p],
  ['mul', '*', (a, b, p) => (a * b) % p],
];

describe('modular tasks', () => {
  it.each(tables)('%s matches exact integers, rows a-major', (op, symbol, operate) => {
    // Catches: b-major rows, negative remainders, a wrong operation.
    const p = 13;
    const task = modularTask(op, p);
    expect(task.inputs.shape).toEqual([169, 4]);
    expect(task.labels.length).toBe(169);
    let row = 0;
    for (let a = 0; a < p; a++)
      for (let b = 0; b < p; b++, row++) {
        expect([...task.inputs.data.slice(4 * row, 4 * row + 4)]).toEqual([a, p, b, p + 1]);
        expect(task.labels[row]).toBe(Number(operate(BigInt(a), BigInt(b), BigInt(p))));
      }
    expect(task.show(14)).toBe(`1 ${symbol} 1 = ${task.labels[14]} (mod 13)`);
  });

  it.each([2, 23, 97, 499])('div modulo %i multiplies back to a', (p) => {
    // Catches: a wrong inverse; rows with b = 0.
    const task = div({ p });
    expect(task.inputs.shape).toEqual([p * (p - 1), 4]);
    const tokens = task.inputs.data;
    const wrong = [...task.labels.keys()].filter((row) => {
      const b = tokens[4 * row + 2]!;
      return b === 0 || (task.labels[row]! * b) % p !== tokens[4 * row];
    });
    expect(wrong.map(task.show)).toEqual([]);
  });

  it('has the sizes of the reference at p = 97', () => {
    // Catches: the error in the paper (9,409 rows, 5 tokens).
    const task = div();
    expect(task.inputs.shape).toEqual([9312, 4]);
    expect(task.vocabulary).toBe(99);
    expect(task.modular).toEqual({ p: 97, op: 'div' });
    expect(task.show(97 * 3)).toBe('3 / 4 = 25 (mod 97)');
    expect(add().inputs.shape).toEqual([9409, 4]);
    expect(sub({ p: 5 }).vocabulary).toBe(7);
    expect(mul({ p: 6 }).labels.length).toBe(36);
  });

  it('refuses invalid moduli with a readable error', () => {
    // Catches: wrong results for composite moduli; a table that fills the memory.
    expect(() => div({ p: 96 })).toThrow(
      'task "div": the modulus p must be prime, so that every b has an inverse, got 96; the nearest prime is 97',
    );
    expect(() => add({ p: 1 })).toThrow('must be an integer from 2 to 4096, got 1');
    expect(() => mul({ p: 1e9 })).toThrow('from 2 to 4096, got 1000000000');
    expect(() => sub({ p: 2.5 })).toThrow('task "sub": option "p"');
    expect(() => add({ q: 3 } as object)).toThrow('unknown option "q"');
    for (const row of [20, -1, 1.5, Number.NaN])
      expect(() => div({ p: 5 }).show(row)).toThrow(
        `task "div": rows must be integers from 0 to 19, got ${row}`,
      );
  });
});

describe('the format of a modular task', () => {
  it('gives the text of tokens, labels and positions', () => {
    // Catches: another operation's sign; a class for the token of "=".
    const task = modularTask('sub', 5);
    expect(task.format).toEqual(['a', 'op', 'b', 'eq']);
    expect(task.tokens).toEqual(['0', '1', '2', '3', '4', '-', '=']);
    expect(task.classes).toEqual(['0', '1', '2', '3', '4']);
    expect([0, 1, 2, 3].map((at) => task.tokens?.[task.inputs.data[4 * 7 + at] ?? -1])).toEqual([
      ...['1', '-', '2', '='],
    ]);
    expect(task.question?.(7)).toBe('1 - 2 (mod 5)');
  });

  it('may have any order, with the modulus too, for the same questions', () => {
    // Catches: operands read at the reference's positions; labels that depend on the format.
    const plain = modularTask('sub', 5);
    const task = sub({ p: 5, format: ['b', 'p', 'a'] });
    expect(task.inputs.shape).toEqual([25, 3]);
    expect([...task.inputs.data.slice(3 * 7, 3 * 8)]).toEqual([2, 7, 1]);
    expect(task.vocabulary).toBe(8);
    expect(task.tokens?.[7]).toBe('mod 5');
    expect(task.labels).toEqual(plain.labels);
    for (const row of [0, 7, 24]) {
      expect(task.show(row)).toBe(plain.show(row));
      expect(task.question?.(row)).toBe(plain.question?.(row));
    }
  });

  it('must include both operands, without repeats', () => {
    const format =
      (...places: ('a' | 'b' | 'eq')[]) =>
      () =>
        add({ p: 5, format: places });
    expect(format('a', 'eq')).toThrow(
      'task "add": the format must have a and b, and no duplicates',
    );
    expect(format('a', 'b', 'a')).toThrow('got ["a","b","a"]');
  });
});

describe('pairs of rows', () => {
  it.each(['add', 'div'] as const)(
    'of %s differ in one operand, and are reproducible for a seed',
    (op) => {
      // Catches: a corrupted row equal to the clean one, two operands changed, b = 0 in a division.
      const task = modularTask(op, 7);
      const { clean, corrupted, position } = task.pairs?.(3, 400) ?? {
        ...{ clean: new Int32Array(), corrupted: new Int32Array(), position: new Int32Array() },
      };
      expect([clean.length, corrupted.length, position.length]).toEqual([400, 400, 400]);
      const row = (at: number): number[] => [...task.inputs.data.slice(4 * at, 4 * at + 4)];
      clean.forEach((from, i) => {
        const [before, after] = [row(from), row(corrupted[i] ?? -1)];
        const changed = before.flatMap((token, at) => (token === after[at] ? [] : [at]));
        expect(changed).toEqual([position[i]]);
      });
      expect(new Set(position)).toEqual(new Set([0, 2]));
      expect(new Set(clean).size).toBe(task.labels.length);
      expect(task.pairs?.(3, 400)).toEqual({ clean, corrupted, position });
      expect(task.pairs?.(4, 400)?.clean).not.toEqual(clean);
    },
  );
});
