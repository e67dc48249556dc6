/** Scores, sites and batch gradients computed in parts, against closed forms in float64. */
import { type Backend, type HostArray, type Model, rng, type Task, tfjsAdapter } from '@grok/core';
import {
  computeSites,
  createBackend,
  createGradientReader,
  evaluateParams,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const ROWS = 4001;
const [FEATURES, CLASSES] = [2, 3];
const inputs: HostArray = {
  shape: [ROWS, FEATURES],
  dtype: 'float32',
  data: rng(1).normal(ROWS * FEATURES),
};
const task: Task = {
  vocabulary: CLASSES,
  inputs,
  labels: Int32Array.from({ length: ROWS }, (_, i) => (i * i) % CLASSES),
  show: String,
};
const weights: HostArray = {
  shape: [FEATURES, CLASSES],
  dtype: 'float32',
  data: rng(2).normal(FEATURES * CLASSES),
};
/** A model whose logits are linear in the inputs. */
const model: Model = {
  shape: { layers: 1, width: FEATURES, heads: 1 },
  init: () => ({ w: weights }),
  sites: () => [{ name: 'logits', shape: [CLASSES], axes: ['d_vocab'] }],
  dropoutMaskShapes: () => ({}),
  keepProbability: 1,
  apply: (param, x) => ({ logits: tf.matMul(x as tf.Tensor2D, param('w') as tf.Tensor2D) }),
};
const linear = { model, params: { w: weights } };
const firstRows = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

/** softmax(x w) of a row and its logits, in float64. */
function forward64(row: number): { x: number[]; logits: number[]; softmax: number[] } {
  const x = Array.from(inputs.data.subarray(row * FEATURES, (row + 1) * FEATURES));
  const logits = Array.from({ length: CLASSES }, (_, k) =>
    x.reduce((sum, value, i) => sum + value * weights.data[i * CLASSES + k]!, 0),
  );
  const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
  return { x, logits, softmax: logits.map((logit) => Math.exp(logit) / sum) };
}
/** xᵀ (softmax(x w) − label) / rows, in float64. */
function gradient64(rows: readonly number[]): number[] {
  const gradient = new Array<number>(FEATURES * CLASSES).fill(0);
  for (const row of rows) {
    const { x, softmax } = forward64(row);
    softmax.forEach((p, k) => {
      const off = p - (task.labels[row] === k ? 1 : 0);
      x.forEach((value, i) => {
        gradient[i * CLASSES + k]! += (value * off) / rows.length;
      });
    });
  }
  return gradient;
}

let backend: Backend;
/** Names of compiled and of disposed programs. */
let [compiled, disposed]: [string[], string[]] = [[], []];
beforeAll(async () => {
  const adapter = await tfjsAdapter({ tfjs: 'cpu', device: 'cpu', threads: 1, bitExact: true });
  backend = createBackend('cpu', {
    ...adapter,
    async compile(name, ...rest) {
      const program = await adapter.compile(name, ...rest);
      compiled.push(name);
      return { ...program, dispose: () => void disposed.push(name) };
    },
  });
});
let tensors = 0;
beforeEach(() => {
  [compiled, disposed] = [[], []];
  tensors = tf.memory().numTensors;
});
afterEach(() => {
  // Catches: parameters, rows or results left on the device; programs that are not disposed of.
  expect(tf.memory().numTensors).toBe(tensors);
  expect(disposed).toEqual(compiled);
});

describe('over more rows than one pass takes', () => {
  it('loss and accuracy cover all rows, with one program per batch size', async () => {
    // Catches: a program for every part; a part missing, or weighted like one of another size.
    const score = await evaluateParams(backend, linear, task, firstRows(ROWS));
    const each = Array.from(firstRows(ROWS), (row) => {
      const { logits, softmax } = forward64(row);
      const label = task.labels[row]!;
      return { loss: -Math.log(softmax[label]!), right: logits[label] === Math.max(...logits) };
    });
    expect(score.loss).toBeCloseTo(each.reduce((sum, { loss }) => sum + loss, 0) / ROWS, 6);
    expect(score.accuracy).toBe(each.filter(({ right }) => right).length / ROWS);
    expect(compiled).toEqual(['eval-1334', 'eval-1333']);
  });

  it('sites are in row order', async () => {
    // Catches: parts in swapped order.
    const { logits } = await computeSites(backend, linear, ['logits'], inputs);
    expect(logits).toMatchObject({ shape: [ROWS, CLASSES], dtype: 'float32' });
    for (const row of [0, 1333, 1334, 2667, 2668, ROWS - 1])
      forward64(row).logits.forEach((wanted, k) => {
        expect(logits?.data[row * CLASSES + k]).toBeCloseTo(wanted, 5);
      });
    expect(compiled).toEqual(['sites-1334', 'sites-1333']);
  });
});

describe('gradients of batches', () => {
  it.each([
    [20, 4, 5],
    [20, 8, 2],
    [12, 5, 2],
    [5, 4, 1],
  ])('of %i rows in %i batches have %i rows each', async (rows, batches, size) => {
    // Catches: fewer batches than requested, or a shorter one, whose gradient is noisier than the
    // others.
    const reader = createGradientReader(backend, linear.model);
    const found = await reader.read(linear.params, task, firstRows(rows), batches);
    reader.dispose();
    expect(found).toHaveLength(batches);
    found.forEach((grads, batch) => {
      const wanted = gradient64(Array.from({ length: size }, (_, i) => batch * size + i));
      wanted.forEach((value, i) => {
        expect(grads.w?.data[i]).toBeCloseTo(value, 5);
      });
    });
  });

  it('refuse fewer rows than batches', async () => {
    // Catches: batches without rows, whose gradient is NaN; silently fewer batches.
    const reader = createGradientReader(backend, linear.model);
    await expect(reader.read(linear.params, task, firstRows(3), 4)).rejects.toThrow(
      'got 3 rows for 4 batches',
    );
  });
});
