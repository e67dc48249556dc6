/** Gradients by term, against float64 finite differences of the same loss on a linear model. */
import {
  type Backend,
  type HostParams,
  type Model,
  type ObjectiveTerm,
  rng,
  type Task,
  tfjsAdapter,
} from '@grok/core';
import { compose, createBackend, describeModel, gradientsByTerm } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const [ROWS, FEATURES, CLASSES] = [7, 2, 3];
const draw = (seed: number, ...shape: [number, number]) => ({
  shape,
  dtype: 'float32' as const,
  data: rng(seed).normal(shape[0] * shape[1]),
});
const task: Task = {
  vocabulary: CLASSES,
  inputs: draw(1, ROWS, FEATURES),
  labels: Int32Array.from({ length: ROWS }, (_, i) => (i * i) % CLASSES),
  show: String,
};
const model: Model = {
  shape: { layers: 1, width: FEATURES, heads: 1 },
  init: () => ({ w: draw(2, FEATURES, CLASSES) }),
  sites: () => [{ name: 'logits', shape: [CLASSES], axes: ['d_vocab'] }],
  dropoutMaskShapes: () => ({}),
  keepProbability: 1,
  apply: (param, x) => ({ logits: tf.matMul(x as tf.Tensor2D, param('w') as tf.Tensor2D) }),
};
const params: HostParams = { w: draw(2, FEATURES, CLASSES), 'extra.match.scale': draw(3, 1, 1) };
const teacher = { model, params: { w: draw(4, FEATURES, CLASSES) } };

/** With weights 0.7, a schedule that is 0.25 at step 3, and a term with an auxiliary scale on the teacher's logits. */
const terms: Record<string, ObjectiveTerm> = {
  hard: {
    needs: { student: ['logits'] },
    loss: ({ student, labels }) => ({
      hard: tf.neg(
        tf.mean(
          tf.sum(
            tf.mul(tf.logSoftmax(student('logits')), tf.oneHot(labels, CLASSES, 1, 0, 'float32')),
            -1,
          ),
        ),
      ),
    }),
  },
  decay: { needs: { student: [] }, loss: ({ param }) => ({ l2: tf.mean(tf.square(param('w'))) }) },
  match: {
    needs: { student: ['logits'], teachers: { teacher: ['logits'] } },
    auxiliaryParams: () => ({ scale: draw(3, 1, 1) }),
    loss: ({ student, teacher: site, auxiliary }) => ({
      scaled: tf.losses.meanSquaredError(
        tf.mul(site('logits'), auxiliary('scale')),
        student('logits'),
      ),
    }),
  },
};
const weights = {
  hard: 0.7,
  decay: { schedule: 'linear', from: 1, to: 0, steps: 4 },
  match: 2,
} as const;
const WEIGHT_AT_3 = { hard: 0.7, decay: 0.25, match: 2 };

const objective = compose(
  Object.entries(terms).map(([name, term]) => ({
    name,
    weight: weights[name as keyof typeof weights],
    objective: () => term,
  })),
  { student: describeModel(model), teachers: { teacher: describeModel(model) } },
);

/** The terms over some rows in float64, at weights `w`. */
function terms64(rows: readonly number[], w: readonly number[]): Record<string, number> {
  const { data: x } = task.inputs;
  const t = teacher.params.w.data;
  const scale = params['extra.match.scale']?.data[0] ?? 0;
  const product = (row: number, weights: ArrayLike<number>): number[] =>
    Array.from({ length: CLASSES }, (_, c) =>
      [0, 1].reduce(
        (sum, f) => sum + (x[row * FEATURES + f] ?? 0) * (weights[f * CLASSES + c] ?? 0),
        0,
      ),
    );
  let [hard, match] = [0, 0];
  for (const row of rows) {
    const [logits, theirs] = [product(row, w), product(row, t)];
    const log = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    hard += (log - (logits[task.labels[row] ?? 0] ?? 0)) / rows.length;
    logits.forEach((logit, c) => {
      match += (logit - scale * (theirs[c] ?? 0)) ** 2 / (rows.length * CLASSES);
    });
  }
  const decay = w.reduce((sum, value) => sum + value ** 2, 0) / w.length;
  return { hard, decay, match };
}

describe('gradients by term', () => {
  let backend: Backend;
  beforeEach(async () => {
    backend = createBackend(
      'cpu',
      await tfjsAdapter({ tfjs: 'cpu', device: 'cpu', threads: 1, bitExact: true }),
    );
  });
  afterEach(() => backend.dispose());

  it('match float64, and their weighted sum is the total’s', async () => {
    // Catches: weighted terms, a schedule read at step 0, rows of another batch, an auxiliary
    // parameter among the model's.
    const tensors = tf.memory().numTensors;
    const run = { backend, task, model, objective, teachers: { teacher }, seed: 1 };
    const position = { epoch: 1, batch: 0, step: 3, sums: { loss: 0, correct: 0, terms: {} } };
    const rows = Int32Array.of(6, 0, 3, 1, 2);
    const found = await gradientsByTerm(run, { params, position }, rows, 2);
    expect(Object.keys(found.terms)).toEqual(['hard', 'decay', 'match']);
    expect(found.total).toHaveLength(2);
    const w = Array.from(params.w?.data ?? []);
    const h = 1e-5;
    for (const [batch, own] of [
      [6, 0],
      [3, 1],
    ].entries()) {
      const sum = new Float64Array(w.length);
      for (const [name, weight] of Object.entries(WEIGHT_AT_3)) {
        const [gradient] = [found.terms[name]?.[batch] ?? {}];
        expect(Object.keys(gradient)).toEqual(['w']);
        w.forEach((_, i) => {
          const at = (d: number) => terms64(own, w.with(i, (w[i] ?? 0) + d))[name] ?? Number.NaN;
          const value = gradient.w?.data[i] ?? Number.NaN;
          expect(value, `${name}, entry ${i}`).toBeCloseTo((at(h) - at(-h)) / (2 * h), 5);
          sum[i] = (sum[i] ?? 0) + weight * value;
        });
      }
      sum.forEach((value, i) => {
        expect(found.total[batch]?.w?.data[i]).toBeCloseTo(value, 5);
      });
    }
    expect(tf.memory().numTensors).toBe(tensors);
  });
  it('need at least one row per batch', async () => {
    const run = { backend, task, model, objective, teachers: { teacher }, seed: 1 };
    const position = { epoch: 1, batch: 0, step: 3, sums: { loss: 0, correct: 0, terms: {} } };
    await expect(gradientsByTerm(run, { params, position }, Int32Array.of(1), 2)).rejects.toThrow(
      'each batch must have at least one row, got 1 rows for 2 batches',
    );
  });
});
