/** The conformance suite of tasks: rows and labels that agree, the same at every call. */
import { type Provision, sizeOf, type Task } from '@grok/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createOf, isProvision, type OptionsGiven, optionsSuite } from './options-suite.js';

/** What the suite is told of a task. */
export interface TaskSuiteOptions extends OptionsGiven {
  /** Rows that are equal may have different labels (default false). */
  readonly ambiguous?: boolean;
}

/** Describes and tests a task, or a bare one (whose options nobody can test). */
export function taskSuite(
  name: string,
  subject: Provision<'task'> | Task,
  { ambiguous = false, ...given }: TaskSuiteOptions = {},
): void {
  const offered = isProvision<'task'>(subject) ? subject : undefined;
  const make = (): Task =>
    offered === undefined ? (subject as Task) : createOf(offered, given.options);

  describe(`task ${name}`, () => {
    optionsSuite('task', offered, given);
    let task: Task;
    beforeAll(() => {
      task = make();
    });
    const rows = (): number => task.inputs.shape[0]!;
    const rowOf = (i: number): string => {
      const size = sizeOf(task.inputs.shape.slice(1));
      return task.inputs.data.subarray(i * size, (i + 1) * size).join();
    };

    it('has inputs that fill their shape (catches: rows of zeros at the end)', () => {
      const { shape, dtype, data } = task.inputs;
      expect(shape.length, 'inputs are [rows, …], with at least two axes').toBeGreaterThan(1);
      expect(data.length, `inputs of shape [${shape}] need ${sizeOf(shape)} values`).toBe(
        sizeOf(shape),
      );
      expect(['int32', 'float32'], 'inputs are int32 tokens or float32 features').toContain(dtype);
      expect(data).toBeInstanceOf(dtype === 'int32' ? Int32Array : Float32Array);
      expect(
        data.every((value) => Number.isFinite(value)),
        'every input is a finite number',
      ).toBe(true);
    });
    it('has one label a row, below the vocabulary (catches: classes counted from 1)', () => {
      expect(rows(), 'a task has at least two rows, to train on and to validate').toBeGreaterThan(
        1,
      );
      expect(task.labels).toBeInstanceOf(Int32Array);
      expect(task.labels.length, 'one label a row').toBe(rows());
      const wrong = task.labels.find((label) => label < 0 || label >= task.vocabulary);
      expect(wrong, `labels are 0 … vocabulary − 1 = ${task.vocabulary - 1}`).toBeUndefined();
    });
    it('has tokens below the vocabulary (catches: an embedding read past its end)', (context) => {
      if (task.inputs.dtype !== 'int32') return context.skip('its inputs are features');
      const wrong = task.inputs.data.find((token) => token < 0 || token >= task.vocabulary);
      expect(wrong, `tokens are 0 … vocabulary − 1 = ${task.vocabulary - 1}`).toBeUndefined();
    });
    it.skipIf(ambiguous)(
      'labels equal rows alike (catches: labels shifted against their rows)',
      () => {
        const labels = new Map<string, number>();
        for (let i = 0; i < rows(); i++) {
          const key = rowOf(i);
          const before = labels.get(key) ?? task.labels[i]!;
          expect(task.labels[i], `row ${i}, ${task.show(i)}, was labelled ${before} before`).toBe(
            before,
          );
          labels.set(key, before);
        }
      },
    );
    it('is the same at every call (catches: Math.random in a data set)', () => {
      const again = make();
      expect(again.inputs).toEqual(task.inputs);
      expect(again.labels).toEqual(task.labels);
      expect(again.vocabulary).toBe(task.vocabulary);
    });
    it('shows each row on a line (catches: a table torn by its rows)', () => {
      for (const row of [0, 1, rows() - 1])
        expect(task.show(row), 'show(row) is one line of text').toMatch(/^\S(.*\S)?$/);
    });
    it('says its modulus rightly, if it has one (catches: Fourier analysis of something else)', (context) => {
      if (task.modular === undefined) return context.skip('it is not modular');
      const { p, op } = task.modular;
      expect(Number.isInteger(p) && p > 1, `p is a whole number > 1, got ${p}`).toBe(true);
      expect(op).toMatch(/^\S+$/);
      expect(Math.max(...task.labels), 'labels are residues modulo p').toBeLessThan(p);
    });
  });
}
