/** Hard labels: cross-entropy with the true classes, the only term of a plain control. */
import * as tf from '@grok/tfjs';
import { type Component, defineStrategy } from '../plugins/define.js';
import { flag, schema } from '../plugins/options.js';

/** Mean cross-entropy of the student's logits with the labels over the batch (nats). */
export const hard: Component<'strategy'> = defineStrategy({
  name: 'hard',
  summary: 'Cross-entropy with the true labels; alone, it is the control without a teacher.',
  // No default, so that experiments without the option keep their hash.
  options: schema({
    precise: flag().optional().describe('avoid cancellation in the gradient at very small losses'),
  }),
  create({ precise }, host) {
    const loss = precise ? preciseCrossEntropy : crossEntropy;
    return () => ({
      needs: { student: ['logits'] },
      loss: ({ student, labels }) => ({ hard: loss(student('logits'), labels, host.tf) }),
    });
  },
});

/** The gradient of each row's cross-entropy from its logits and its one-hot label, all `[batch, d_vocab]`. */
type RowGradient = (logits: tf.Tensor, target: tf.Tensor) => tf.Tensor;

function meanCrossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor1D,
  on: typeof tf,
  gradient: RowGradient,
): tf.Scalar {
  const encode = (x: tf.Tensor): tf.Tensor =>
    on.oneHot(labels, x.shape.at(-1) ?? 0, 1, 0, 'float32');
  const loss = on.customGrad((logits, save) => {
    const x = logits as tf.Tensor;
    (save as tf.GradSaveFunc)([x]);
    return {
      value: on.neg(on.mean(on.sum(on.mul(on.logSoftmax(x), encode(x)), -1))),
      gradFunc: (dy: tf.Tensor, [saved = x]: tf.Tensor[]) => {
        const rows = gradient(saved, encode(saved));
        return on.mul(rows, on.div(dy, saved.shape.at(0) ?? 1));
      },
    };
  });
  return loss(logits) as tf.Scalar;
}

/** Mean over rows of −log softmax(logits)[label]; logits `[batch, d_vocab]`, labels int32 `[batch]`. */
export function crossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor1D,
  on: typeof tf = tf,
): tf.Scalar {
  return meanCrossEntropy(logits, labels, on, (x, target) =>
    on.sub(on.exp(on.logSoftmax(x)), target),
  );
}

/**
 * `crossEntropy` with a gradient that stays accurate when a row is almost certain. There, `softmax
 * − 1` for the label would be rounded to multiples of 6e-8, which causes spikes in the loss (Nanda
 * et al. 2023 use float64 instead). A row's gradients sum to 0, so the label's is minus the sum of
 * the others.
 */
export function preciseCrossEntropy(
  logits: tf.Tensor,
  labels: tf.Tensor1D,
  on: typeof tf = tf,
): tf.Scalar {
  return meanCrossEntropy(logits, labels, on, (x, target) => {
    const others = on.mul(on.softmax(x), on.sub(1, target)); // [batch, d_vocab]
    return on.sub(others, on.mul(target, on.sum(others, -1, true)));
  });
}
