/** Inconsistent tasks and splits are refused by name before anything trains on them. */
import { type ComponentDefinition, createRegistry, type Experiment, type Plugin } from '@grok/core';
import { data } from '@grok/core/internal';
import { describe, expect, it } from 'vitest';

const ROWS = 10;
const inputs = {
  shape: [ROWS, 2],
  dtype: 'int32',
  data: Int32Array.from({ length: 2 * ROWS }, (_, i) => i % 4),
};
const task = {
  ...{ vocabulary: 4, inputs, show: String },
  labels: Int32Array.from({ length: ROWS }, (_, i) => i % 4),
};
const split = { train: Int32Array.of(0, 9, 1, 2), validation: Int32Array.of(3, 4) };
const nothing = (): object => ({});
const model = {
  ...{ shape: { layers: 1, width: 1, heads: 1 }, keepProbability: 1 },
  ...{ init: nothing, sites: () => [], dropoutMaskShapes: nothing, apply: nothing },
};
const experiment = {
  ...{ task: { use: 'odd' }, split: { use: 'odd' }, model: { use: 'odd' } },
  ...{ optimizer: { use: 'none' }, batch: 2, epochs: 1, seed: 0 },
} as Experiment;

function withChanges(changes: { task?: object; split?: object }): ReturnType<typeof data> {
  const products = {
    task: { ...task, ...changes.task },
    split: () => ({ ...split, ...changes.split }),
    model: () => model,
  };
  const plugin: Plugin = {
    ...{ name: 'grok-odd', version: '1.0.0', core: '>=0.1.0 <1' },
    components: Object.entries(products).map(
      ([kind, product]) =>
        ({
          ...{ kind, name: 'odd', summary: 'Odd.', options: { type: 'object' } },
          create: () => product,
        }) as unknown as ComponentDefinition,
    ),
  };
  return data(experiment, createRegistry([plugin]));
}
const changed = (at: number, value: number): Int32Array => inputs.data.with(at, value);

describe('data', () => {
  it('accepts consistent data, including features of any size', () => {
    // Catches: a check that refuses the last row, the last label, or inputs that are not tokens.
    expect(withChanges({}).split).toEqual(split);
    const features = { shape: [ROWS, 1], dtype: 'float32', data: new Float32Array(ROWS).fill(99) };
    expect(withChanges({ task: { inputs: features } }).task.inputs).toBe(features);
  });
  it.each([
    ['labels outside', { labels: task.labels.with(9, 4) }, 'labels must be from 0 to 3'],
    ['labels below 0', { labels: task.labels.with(3, -1) }, 'got -1 in row 3'],
    ['no vocabulary', { vocabulary: Number.NaN }, 'labels must be from 0 to NaN'],
    [
      'too few labels',
      { labels: task.labels.subarray(5) },
      'needs 10 values in a Int32Array, got 5',
    ],
    ['labels in a list', { labels: [...task.labels] }, 'got 10 in a Array'],
    ['tokens outside', { inputs: { ...inputs, data: changed(7, 4) } }, 'got 4 in row 3'],
    [
      'tokens below 0',
      { inputs: { ...inputs, data: changed(0, -1) } },
      'tokens must be from 0 to 3',
    ],
    ['too few inputs', { inputs: { ...inputs, shape: [ROWS, 3] } }, 'inputs of int32 [10, 3]'],
    ['no element type', { inputs: { ...inputs, dtype: undefined } }, '{ data, shape, dtype }'],
    ['no values', { inputs: { shape: [ROWS, 2], dtype: 'int32' } }, '{ data, shape, dtype }'],
  ])('refuses a task with %s', (_, change, message) => {
    // Catches: rows padded with zeros, an embedding read past its end, a class without a logit.
    expect(() => withChanges({ task: change })).toThrow(/^task "odd": /);
    expect(() => withChanges({ task: change })).toThrow(message);
  });
  it.each([
    ['a row beyond the task', { train: Int32Array.of(0, 10) }, 'train rows must be from 0 to 9'],
    ['a row below 0', { validation: Int32Array.of(-1) }, 'validation rows must be from 0 to 9'],
    ['half a row', { train: [0.5, 1] }, 'must be row numbers in an Int32Array, got Array'],
    [
      'a row in both parts',
      { validation: Int32Array.of(5, 9) },
      'both train and validation, got row 9',
    ],
    [
      'no validation rows',
      { validation: new Int32Array() },
      'none of the 10 rows are left for validation',
    ],
  ])('refuses a split with %s', (_, change, message) => {
    // Catches: training on a row of zeros; the same split hash for different bad rows.
    expect(() => withChanges({ split: change })).toThrow(/^split "odd": /);
    expect(() => withChanges({ split: change })).toThrow(message);
  });
});
