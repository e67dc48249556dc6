/** The barrier between memorization and generalization, where it is known. */
import wasm from '@grok/backend-wasm';
import {
  createRegistry,
  type HostArray,
  type HostParams,
  type MetricsRow,
  type Model,
  openBackend,
} from '@grok/core';
import { hookModel } from '@grok/interp';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { measureMemorization } from '../src/atlas/measures/memorization.js';

let backend: Awaited<ReturnType<typeof openBackend>>;
beforeAll(async () => {
  backend = await openBackend(createRegistry([wasm]), { backend: 'wasm' });
}, 60_000);
afterAll(() => backend.dispose());

const array = (shape: readonly number[], values: readonly number[]): HostArray => ({
  data: Float32Array.from(values),
  ...{ shape, dtype: 'float32' },
});
const point = (u: number, v: number): HostParams => ({ u: array([1], [u]), v: array([1], [v]) });

/** Logits [x · u · v, 0]: (2, 2) and (−2, −2) are equally good, and all that lies between them is not. */
const model: Model = {
  shape: { layers: 0, width: 2, heads: 0 },
  keepProbability: 1,
  init: () => point(0, 0),
  sites: () => [{ name: 'logits', shape: [2], axes: ['d_vocab'] }],
  dropoutMaskShapes: () => ({}),
  apply: (get, x) => ({
    logits: tf.concat([tf.mul(x, tf.mul(get('u'), get('v'))), tf.zerosLike(x)], 1),
  }),
};
const row = (step: number, train: number, validation: number): MetricsRow => ({
  ...{ epoch: step, step, terms: {}, time: { seconds: 0 } },
  train: { loss: 0, accuracy: train },
  validation: { loss: 0, accuracy: validation },
});
const measure = (history: readonly MetricsRow[], readSteps: number[] = []) =>
  measureMemorization({
    model: hookModel({ backend, model, params: point(-2, -2) }),
    task: {
      ...{ vocabulary: 2, inputs: array([2, 1], [1, 1]), labels: Int32Array.of(0, 0) },
      show: String,
    },
    split: { train: Int32Array.of(0), validation: Int32Array.of(1) },
    ...{ step: 40, steps: [0, 10, 20, 30, 40], run: { history } },
    async readState(step) {
      readSteps.push(step);
      return { step, params: point(2, 2) };
    },
  });

test('is read from the last state before the run generalized', async () => {
  // Catches: a state that had already generalized, validation rows, a chord that is not subtracted.
  const readSteps: number[] = [];
  const history = [row(10, 1, 0.1), row(20, 1, 0.4), row(30, 1, 0.8), row(40, 1, 1)];
  const { barrier: [barrier] = [], line = [] } = await measure(history, readSteps);
  expect(readSteps).toEqual([20]);
  expect(barrier).toMatchObject({ from: 20, to: 40, t: 0.5, accuracyBefore: 1 });
  expect(barrier?.loss).toBeCloseTo(Math.log(2) - Math.log(1 + Math.exp(-4)), 4);
  expect(line).toHaveLength(25);
});

test('is none of a run without a state from before, or that never generalized', async () => {
  const none = { line: [], barrier: [] };
  expect(await measure([row(10, 1, 0.8), row(40, 1, 1)])).toEqual(none);
  expect(await measure([row(10, 1, 0.1), row(40, 1, 0.2)])).toEqual(none);
});
