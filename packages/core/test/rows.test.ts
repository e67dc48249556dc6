/** What is computed over rows in parts, against closed forms in float64: gradients of batches. */
import {
  type Backend,
  batchGradients,
  eagerBackend,
  type HostArray,
  type Model,
  rng,
  type Task,
} from '@grok/core';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';

const ROWS = 23;
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
/** Logits that are linear in the inputs. */
const model: Model = {
  shape: { layers: 1, width: FEATURES, heads: 1 },
  init: () => ({ w: weights }),
  sites: () => [{ name: 'logits', shape: [CLASSES] }],
  keeps: () => ({}),
  keepProbability: 1,
  apply: (param, x) => ({ logits: tf.matMul(x as tf.Tensor2D, param('w') as tf.Tensor2D) }),
};
const linear = { model, params: { w: weights } };
const firstRows = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

/** xᵀ (softmax(x w) − label) / rows, in float64. */
function gradient64(rows: readonly number[]): number[] {
  const gradient = new Array<number>(FEATURES * CLASSES).fill(0);
  for (const row of rows) {
    const x = Array.from(inputs.data.subarray(row * FEATURES, (row + 1) * FEATURES));
    const powers = Array.from({ length: CLASSES }, (_, k) =>
      Math.exp(x.reduce((sum, value, i) => sum + value * weights.data[i * CLASSES + k]!, 0)),
    );
    const sum = powers.reduce((a, b) => a + b);
    powers.forEach((power, k) => {
      const off = power / sum - (task.labels[row] === k ? 1 : 0);
      x.forEach((value, i) => {
        gradient[i * CLASSES + k]! += (value * off) / rows.length;
      });
    });
  }
  return gradient;
}

let backend: Backend;
beforeAll(async () => {
  const parts = { name: 'cpu', tfjs: 'cpu', device: 'cpu', threads: 1, bitExact: true };
  backend = await eagerBackend(parts);
});

describe('gradients of batches', () => {
  it.each([
    [20, 4, 5],
    [20, 8, 2],
    [12, 5, 2],
    [5, 4, 1],
  ])('of %i rows in %i batches are of %i rows each', async (rows, batches, size) => {
    // Catches: fewer batches than asked for, or a shorter one, whose gradient is noisier than the others.
    const found = await batchGradients(backend, linear, task, firstRows(rows), batches);
    expect(found).toHaveLength(batches);
    found.forEach((grads, batch) => {
      const wanted = gradient64(Array.from({ length: size }, (_, i) => batch * size + i));
      wanted.forEach((value, i) => {
        expect(grads.w!.data[i]).toBeCloseTo(value, 5);
      });
    });
  });

  it('refuse fewer rows than batches', async () => {
    // Catches: batches of no rows, whose gradient is NaN, or silently fewer.
    await expect(batchGradients(backend, linear, task, firstRows(3), 4)).rejects.toThrow(
      'got 3 rows for 4 batches',
    );
  });
});
