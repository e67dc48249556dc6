/** Assignments against all that there are. */
import { rng } from '@grok/core';
import { expect, test } from 'vitest';
import { assign } from '../../src/tensors/assignment.js';

/** The least sum over all assignments. */
function leastSum(cost: readonly (readonly number[])[], used: readonly number[] = []): number {
  const row = cost[used.length];
  if (row === undefined) return 0;
  const sums = row.flatMap((value, column) =>
    used.includes(column) ? [] : [value + leastSum(cost, [...used, column])],
  );
  return Math.min(...sums);
}

test.each([
  [1, 1],
  [4, 4],
  [5, 7],
  [6, 6],
])('%i rows and %i columns have the least sum, each column once', (rows, columns) => {
  // Catches: an augmenting path that loses a row, potentials with a wrong sign, a greedy choice.
  for (let seed = 0; seed < 20; seed++) {
    const values = rng(seed).normal(rows * columns);
    const cost = Array.from({ length: rows }, (_, row) => [
      ...values.subarray(row * columns, (row + 1) * columns),
    ]);
    const found = assign(cost);
    expect(new Set(found).size).toBe(rows);
    const sum = cost.reduce((total, row, i) => total + (row[found[i] ?? 0] ?? Number.NaN), 0);
    expect(sum).toBeCloseTo(leastSum(cost), 6);
  }
});
