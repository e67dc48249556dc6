/** What a term of the loss must declare and return; errors name the term. */
import { isInputError, type Objective, type ObjectiveTerm } from '@grok/core';
import { compose } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';

const student = {
  ...{ layers: 1, width: 4, heads: 1 },
  sites: [{ name: 'logits', shape: [4], axes: ['d_vocab'] }],
};
const composed = (term: Partial<ObjectiveTerm>): ReturnType<typeof compose> => {
  const objective = (() => ({ needs: { student: ['logits'] }, ...term })) as Objective;
  return compose([{ name: 'odd', weight: 1, objective }], { student, teachers: {} });
};
function computeLoss(loss: (logits: tf.Tensor) => unknown): Record<string, tf.Scalar> {
  const term = composed({
    loss: ({ student: site }) => loss(site('logits')) as ReturnType<ObjectiveTerm['loss']>,
  });
  return term.loss({
    ...{ teachers: {}, params: {}, teacherParams: {}, random: {} },
    student: { logits: tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]) },
    inputs: tf.zeros([3, 1], 'int32'),
    labels: tf.tensor1d([0, 1, 0], 'int32'),
    step: tf.scalar(0, 'int32'),
  }).terms;
}

describe('the loss of a term', () => {
  beforeAll(() => tf.setBackend('cpu'));

  it.each([
    ['a vector', (x: tf.Tensor) => ({ norm: tf.sum(x, -1) }), /part "norm".*got shape \[3\]/],
    ['a row', (x: tf.Tensor) => ({ norm: tf.reshape(tf.sum(x), [1]) }), /got shape \[1\]/],
    ['a number', () => ({ norm: 3 }), /part "norm" .* got number/],
    ['a hole', () => ({ norm: undefined }), /part "norm" .* got undefined/],
    ['nothing', () => undefined, /at least one named scalar, got none/],
    ['no part', () => ({}), /at least one named scalar, got none/],
  ])('is never %s', (_, loss, message) => {
    // Catches: a vector trained by the gradient of its sum and logged as its first row.
    let error: unknown;
    try {
      computeLoss(loss);
    } catch (thrown) {
      error = thrown;
    }
    expect(isInputError(error)).toBe(true);
    expect((error as Error).message).toMatch(/^term "odd": /);
    expect((error as Error).message).toMatch(message);
  });
  it('is one scalar, or several that are added', () => {
    // Catches: a check that refuses valid losses.
    const sums = (x: tf.Tensor) => ({ all: tf.sum(x), mean: tf.mean(x) });
    const terms = computeLoss(sums);
    expect(terms['odd.all']?.dataSync()[0]).toBe(21);
    expect(terms['odd.mean']?.dataSync()[0]).toBe(3.5);
  });
});

describe('the needs of a term', () => {
  it.each([
    ['missing', undefined, 'list sites of the student, such as ["logits"], got undefined'],
    ['empty', {}, 'list sites of the student'],
    ['a word', { student: 'logits' }, 'got "logits"'],
    ['unknown', { student: ['logit'] }, 'did you mean "logits"'],
  ])('are never %s', (_, needs, message) => {
    // Catches: a TypeError about "student" that names no term; a string read letter by letter.
    const call = () => composed({ needs: needs as never, loss: () => ({}) });
    expect(call).toThrow(message);
    expect(call).toThrow('term "odd"');
  });
});
