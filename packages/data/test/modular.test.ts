import { describe, expect, it } from 'vitest';
import { add, div, modularTask, mul, type Operation, sub } from '../src/index.js';

const tables: readonly [Operation, string, (a: bigint, b: bigint, p: bigint) => bigint][] = [
  ['add', '+', (a, b, p) => (a + b) % p],
  ['sub', '-', (a, b, p) => (((a - b) % p) + p) % p],
  ['mul', '*', (a, b, p) => (a * b) % p],
];

describe('modular tasks', () => {
  it.each(tables)('%s agrees with exact integers, rows a-major', (op, symbol, operate) => {
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
    // Catches: a wrong inverse, rows with b = 0.
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
    // Catches: the paper's own slip (9,409 rows, 5 tokens).
    const task = div();
    expect(task.inputs.shape).toEqual([9312, 4]);
    expect(task.vocabulary).toBe(99);
    expect(task.modular).toEqual({ p: 97, op: 'div' });
    expect(task.show(97 * 3)).toBe('3 / 4 = 25 (mod 97)');
    expect(add().inputs.shape).toEqual([9409, 4]);
    expect(sub({ p: 5 }).vocabulary).toBe(7);
    expect(mul({ p: 6 }).labels.length).toBe(36);
  });

  it('refuses what it cannot compute, in words for the user', () => {
    // Catches: silent nonsense for composite moduli, a table that fills the memory.
    expect(() => div({ p: 96 })).toThrow(
      'task "div": the modulus p must be prime, so that every b has an inverse, got 96; the nearest prime is 97',
    );
    expect(() => add({ p: 1 })).toThrow('must be a whole number from 2 to 4096, got 1');
    expect(() => mul({ p: 1e9 })).toThrow('from 2 to 4096, got 1000000000');
    expect(() => sub({ p: 2.5 })).toThrow('task "sub": option "p"');
    expect(() => add({ q: 3 } as object)).toThrow('unknown option "q"');
    for (const row of [20, -1, 1.5, Number.NaN])
      expect(() => div({ p: 5 }).show(row)).toThrow(
        `task "div": rows are whole numbers from 0 to 19, got ${row}`,
      );
  });
});
