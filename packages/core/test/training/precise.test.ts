/** The option `precise` of `hard`, against float64. */
import { crossEntropy, hard, InputError } from '@grok/core';
import { preciseCrossEntropy } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';

const labels = [1, 0, 2];
/** Rows whose label leads by `margin`, so that the other classes have a probability of about e^−margin. */
const rows = (margin: number): number[][] =>
  labels.map((label, i) =>
    [0.3, -0.2, 0.1, 0.7].map((z, k) => (k === label ? z + margin : z * (i + 1))),
  );
/** `(softmax − label) / rows`, the gradient in float64, with the label's entry as minus the sum of the others. */
function gradients64(logits: readonly (readonly number[])[]): number[] {
  return logits.flatMap((row, i) => {
    const top = Math.max(...row);
    const powers = row.map((z) => Math.exp(Math.fround(z) - Math.fround(top)));
    const sum = powers.reduce((a, b) => a + b, 0);
    const others = powers.map((p, k) => (k === labels[i] ? 0 : p / sum));
    const all = others.reduce((a, b) => a + b, 0);
    return others.map((p, k) => (k === labels[i] ? -all : p) / logits.length);
  });
}
function gradients(loss: typeof crossEntropy, logits: number[][], weight = 1): Float32Array {
  const on = tf.tensor1d(labels, 'int32');
  const grad = tf.grad((x) => tf.mul(loss(x, on), weight));
  return grad(tf.tensor2d(logits)).dataSync() as Float32Array;
}
const worst = (got: ArrayLike<number>, wanted: readonly number[]): number =>
  Math.max(...wanted.map((value, i) => Math.abs(got[i]! / value - 1)));

describe('hard with precise gradients', () => {
  beforeAll(() => tf.setBackend('cpu'));

  it.each([0, 1, 5, 16, 30])('matches float64 at a margin of %s', (margin) => {
    // Catches: digits lost in softmax − 1; a wrong sign; the mean over rows or the weight missing.
    const wanted = gradients64(rows(margin));
    expect(worst(gradients(preciseCrossEntropy, rows(margin)), wanted)).toBeLessThan(1e-5);
    const weighted = gradients(preciseCrossEntropy, rows(margin), 0.5);
    expect(
      worst(
        weighted,
        wanted.map((g) => g / 2),
      ),
    ).toBeLessThan(1e-5);
  });

  it('is needed: the plain gradient of the label is rounded away', () => {
    // Catches: a test above that the plain loss would pass too.
    expect(worst(gradients(crossEntropy, rows(16)), gradients64(rows(16)))).toBeGreaterThan(0.01);
    expect(worst(gradients(crossEntropy, rows(1)), gradients64(rows(1)))).toBeLessThan(1e-5);
  });

  it('has the same loss, and is off by default', () => {
    // Catches: another loss; an option that changes existing runs.
    const [x, y] = [tf.tensor2d(rows(3)), tf.tensor1d(labels, 'int32')];
    expect(preciseCrossEntropy(x, y).dataSync()).toEqual(crossEntropy(x, y).dataSync());
    expect(() => hard({ precise: 1 } as never)).toThrow(InputError);
  });
});
