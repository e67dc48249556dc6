// A custom schedule: one cycle (Smith 2018), up to the peak in the middle and down again. A
// schedule is a function of the tensor of steps taken, so that it compiles with the step.
import { addDecayedWeights, chain, scaleByAdam, scaleByLearningRate } from '@grok/optim';

export const oneCycle = {
  kind: 'optimizer',
  name: 'one-cycle',
  summary: 'AdamW under one cycle of the learning rate.',
  options: {
    type: 'object',
    properties: {
      peak: { type: 'number', minimum: 0, default: 1e-2 },
      steps: { type: 'integer', minimum: 2, default: 1000 },
      weightDecay: { type: 'number', minimum: 0, default: 1 },
    },
    additionalProperties: false,
  },
  create({ peak, steps, weightDecay }, { tf }) {
    const schedule = (step) => {
      const done = tf.minimum(tf.div(tf.cast(step, 'float32'), steps), 1); // 0 … 1
      const distance = tf.abs(tf.sub(tf.mul(done, 2), 1)); // from the middle: 1 … 0 … 1
      return tf.mul(tf.sub(1, distance), peak);
    };
    return chain(
      scaleByAdam({ b1: 0.9, b2: 0.98, eps: 1e-8 }),
      addDecayedWeights(weightDecay),
      scaleByLearningRate(schedule),
    );
  },
};
