/** Rows compared by question, on tasks of four rows. */
import type { Task } from '@grok/core';
import { compareTaughtData, countSharedQuestions, readInputsForTeacher } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

/** Sums of two bits, rows `order[row]`, as `[a, b]` or `[b, a]`. */
function sums(order: readonly number[], swapped = false, asks = true): Task {
  const pairs = order.map((row) => [row >> 1, row & 1] as const);
  const tokens = pairs.flatMap(([a, b]) => (swapped ? [b, a] : [a, b]));
  return {
    vocabulary: 3,
    inputs: { shape: [order.length, 2], dtype: 'int32', data: Int32Array.from(tokens) },
    labels: Int32Array.from(pairs, ([a, b]) => a + b),
    show: String,
    ...(asks ? { question: (row: number) => pairs[row]?.join('+') ?? '' } : {}),
  };
}
const rows = (...of: number[]): Int32Array => Int32Array.from(of);
const split = (train: number[], validation: number[]) => ({
  train: rows(...train),
  validation: rows(...validation),
});
const use = { use: 'sums' };

describe('shared questions', () => {
  it('are counted in any order and format of rows', () => {
    // Catches: row numbers compared instead of questions.
    const teacher = { task: sums([3, 2, 1, 0], true), train: rows(0, 1) };
    const count = (validation: Int32Array, asks = true) =>
      countSharedQuestions(teacher, { task: sums([0, 1, 2, 3], false, asks), validation });
    expect(count(rows(0, 1))).toBe(0);
    expect(count(rows(1, 2))).toBe(1);
    expect(count(rows(2, 3))).toBe(2);
  });
  it('are equal inputs for tasks without `question`', () => {
    // Catches: a missed leak for a plugin's task without `question`.
    const task = sums([0, 1, 2, 3], false, false);
    const student = { task, validation: rows(1, 2) };
    expect(countSharedQuestions({ task, train: rows(0, 1) }, student)).toBe(1);
  });
});

describe('a teacher of another task', () => {
  it('reads its own rows with the same questions', () => {
    // Catches: operands given to the teacher in the student's order.
    const read = readInputsForTeacher('t', sums([2, 0]), sums([0, 1, 2, 3], true));
    expect([...read.data]).toEqual([0, 1, 0, 0]);
  });
  it('otherwise reads the student’s rows as they are, if it can', () => {
    // Catches: half of the rows passed to it; an embedding read past its end.
    const student = sums([0, 3]);
    expect(readInputsForTeacher('t', student, sums([0, 1]))).toBe(student.inputs);
    const narrow = { ...sums([0, 1]), vocabulary: 1 };
    expect(() => readInputsForTeacher('t', student, narrow)).toThrow(
      "t: 1 of this run's 2 rows are not in its own task, and it cannot read them: token 1 is outside its vocabulary of 1",
    );
    const long: Task = {
      ...sums([0, 1]),
      inputs: { shape: [2, 3], dtype: 'int32', data: new Int32Array(6) },
    };
    expect(() => readInputsForTeacher('t', student, long)).toThrow(
      'its inputs are int32 [3], a row here is int32 [2]',
    );
  });
  it('must be allowed explicitly', () => {
    const teacher = { use, written: sums([0, 1, 2, 3]), split: split([0, 1], [2, 3]) };
    const student = { use, written: sums([0, 1, 2, 3], true), split: split([0, 1], [2, 3]) };
    expect(() => compareTaughtData('t', teacher, student, {})).toThrow(
      't: was trained on another task',
    );
    const { inputs, leaked } = compareTaughtData('t', teacher, student, { allowOtherTask: true });
    expect(inputs).toEqual(teacher.written.inputs);
    expect(leaked).toBe(false);
  });
});

describe('a leak', () => {
  const task = sums([0, 1, 2, 3]);
  const compare = (train: number[], validation: number[], allowLeak = false) =>
    compareTaughtData(
      't',
      { use, written: task, split: split([0, 1], [2, 3]) },
      { use, written: task, split: split(train, validation) },
      { allowLeak },
    ).leaked;
  it('is a shared question, not a different split', () => {
    // Catches: a student with fewer rows refused although its teacher saw none of its validation
    // rows.
    expect(compare([0], [2, 3])).toBe(false);
    expect(() => compare([0, 2], [1, 3])).toThrow("on 1 of this run's 2 validation rows");
    expect(compare([0, 2], [1, 3], true)).toBe(true);
    expect(compare([0, 1], [2, 3], true)).toBe(false);
  });
});
