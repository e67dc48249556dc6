/** The conformance suite for tasks: rows and labels are consistent and reproducible. */
import { type ComponentDefinition, sizeOf, type Task } from '@grok/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type OptionsGiven, optionsSuite, subjectMaker } from './options-suite.js';
import { registerTests, type Tests } from './tests-by-title.js';

/** Options of `taskSuite`. */
export interface TaskSuiteOptions extends OptionsGiven {
  /** Whether equal rows may have different labels (default false). */
  readonly ambiguous?: boolean;
}

/** A task, and a function that creates it again. */
interface Subject {
  readonly task: Task;
  readonly make: () => Task;
}

/** Registers the conformance tests of a task, or of a bare one (without tests of options). */
export function taskSuite(
  name: string,
  subject: ComponentDefinition<'task'> | Task,
  { ambiguous = false, ...given }: TaskSuiteOptions = {},
): void {
  const { offered, make } = subjectMaker<'task'>(subject, given.options);
  describe(`task ${name}`, () => {
    optionsSuite('task', offered, given);
    let task: Task;
    beforeAll(() => {
      task = make();
    });
    registerTests(taskTests, () => ({ task, make }));
    it.skipIf(ambiguous)(
      'labels equal rows alike (catches: labels shifted against their rows)',
      () => labelsEqualRowsAlike(task),
    );
  });
}

const taskTests: Tests<Subject> = {
  'has inputs that fill their shape (catches: rows of zeros at the end)': ({
    task: {
      inputs: { shape, dtype, data },
    },
  }) => {
    expect(shape.length, 'inputs are [rows, …], with at least two axes').toBeGreaterThan(1);
    expect(data.length, `inputs of shape [${shape}] need ${sizeOf(shape)} values`).toBe(
      sizeOf(shape),
    );
    expect(['int32', 'float32'], 'inputs are int32 tokens or float32 features').toContain(dtype);
    expect(data, 'inputs must be in the array of their type').toBeInstanceOf(
      dtype === 'int32' ? Int32Array : Float32Array,
    );
    expect(data.every(Number.isFinite), 'every input is a finite number').toBe(true);
  },
  'has one label per row, below the vocabulary (catches: classes counted from 1)': ({ task }) => {
    const [rows] = task.inputs.shape;
    expect(rows, 'a task has at least two rows, to train on and to validate').toBeGreaterThan(1);
    expect(task.labels, 'labels must be an Int32Array').toBeInstanceOf(Int32Array);
    expect(task.labels.length, 'one label a row').toBe(rows);
    const wrong = task.labels.find((label) => label < 0 || label >= task.vocabulary);
    expect(wrong, `labels are 0 … vocabulary − 1 = ${task.vocabulary - 1}`).toBeUndefined();
  },
  'has tokens below the vocabulary (catches: an embedding read past its end)': (
    { task },
    context,
  ) => {
    if (task.inputs.dtype !== 'int32') return context.skip('its inputs are features');
    const wrong = task.inputs.data.find((token) => token < 0 || token >= task.vocabulary);
    expect(wrong, `tokens are 0 … vocabulary − 1 = ${task.vocabulary - 1}`).toBeUndefined();
  },
  'is the same at every call (catches: Math.random in a data set)': ({ task, make }) => {
    const again = make();
    expect(
      again.inputs,
      'inputs must be the same at every call: draw from a seed, not from Math.random',
    ).toEqual(task.inputs);
    expect(
      again.labels,
      'labels must be the same at every call: draw from a seed, not from Math.random',
    ).toEqual(task.labels);
    expect(again.vocabulary, 'the vocabulary must be the same at every call').toBe(task.vocabulary);
  },
  'shows each row on one line (catches: a table broken by line breaks)': ({ task }) => {
    const [rows = 0] = task.inputs.shape;
    for (const row of [0, 1, rows - 1])
      expect(task.show(row), 'show(row) is one line of text').toMatch(/^\S(.*\S)?$/);
  },
  'describes its tokens, labels and positions, if at all (catches: a token without a meaning)': ({
    task: { inputs, labels, vocabulary, format, tokens, classes },
  }) => {
    if (format) expect(format.length, 'one word a position').toBe(inputs.shape[1]);
    if (tokens) expect(tokens.length, 'one word a token').toBe(vocabulary);
    if (classes)
      expect(classes.length, 'one word a label').toBeGreaterThan(
        labels.reduce((most, label) => Math.max(most, label), -1),
      );
  },
  'asks one question per row, if it has questions (catches: two answers to one question)': (
    { task },
    context,
  ) => {
    if (task.question === undefined) return context.skip('it does not say what its rows ask');
    const known = new Map<string, number>();
    for (const [row, label] of task.labels.entries()) {
      const key = task.question(row);
      expect(label, `${key} was labelled ${known.get(key)} before`).toBe(known.get(key) ?? label);
      known.set(key, label);
    }
  },
  'draws pairs of different rows, if it has pairs (catches: a row corrupted to itself)': (
    { task },
    context,
  ) => {
    if (task.pairs === undefined) return context.skip('it has no pairs');
    const { clean, corrupted, position } = task.pairs(1, 20);
    expect(task.pairs(1, 20), 'the same from the same seed').toEqual({
      clean,
      corrupted,
      position,
    });
    const [rows = 0, places = 0] = task.inputs.shape;
    for (const [i, from] of clean.entries()) {
      const to = corrupted[i] ?? -1;
      expect(from < rows && to >= 0 && to < rows, `pair ${i} is of rows`).toBe(true);
      const read = (row: number) => [
        ...task.inputs.data.subarray(row * places, (row + 1) * places),
      ];
      const after = read(to);
      const changed = read(from).flatMap((value, at) => (value === after[at] ? [] : [at]));
      expect(changed, `pair ${i} differs at its position alone`).toEqual([position[i]]);
    }
  },
  'states the right modulus, if it has one (catches: Fourier analysis of something else)': (
    { task },
    context,
  ) => {
    if (task.modular === undefined) return context.skip('it is not modular');
    const { p, op } = task.modular;
    expect(Number.isInteger(p) && p > 1, `p must be an integer ≥ 2, got ${p}`).toBe(true);
    expect(op, 'modular.op must be one word').toMatch(/^\S+$/);
    expect(Math.max(...task.labels), 'labels are residues modulo p').toBeLessThan(p);
  },
};

function labelsEqualRowsAlike(task: Task): void {
  const { inputs, labels } = task;
  const size = sizeOf(inputs.shape.slice(1));
  const known = new Map<string, number>();
  for (const [i, label] of labels.entries()) {
    const row = inputs.data.subarray(i * size, (i + 1) * size).join();
    const before = known.get(row) ?? label;
    expect(label, `row ${i}, ${task.show(i)}, was labelled ${before} before`).toBe(before);
    known.set(row, label);
  }
}
