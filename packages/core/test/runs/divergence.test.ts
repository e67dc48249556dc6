/** A non-finite gradient shows one step later, in every term; the error names the terms that caused it. */
import { definePlugin, defineStrategy, memoryStore, readManifest, schema } from '@grok/core';
import * as tf from '@grok/tfjs';
import { expect, test } from 'vitest';
import { smallRegistry, trainSmall } from '../helpers/small.js';

/** A loss of 0 whose gradient is 0 · ∞ once training has changed the logits. */
const root = defineStrategy({
  name: 'root',
  summary: 'A root of nothing.',
  options: schema({}),
  create: () => () => ({
    needs: { student: ['logits'] },
    loss: ({ student, step }) => {
      const late = tf.cast(tf.greaterEqual(step, 4), 'float32');
      const nothing = tf.relu(tf.sub(tf.mul(student('logits'), late), 1e6));
      const harmless = tf.mul(tf.sub(1, late), tf.sum(tf.mul(student('logits'), 0)));
      const odd = tf.mul(late, tf.mean(tf.sqrt(tf.add(nothing, tf.sub(1, late)))));
      return { root: tf.add(odd, harmless) as tf.Scalar };
    },
  }),
});
const registry = smallRegistry(
  definePlugin({ name: 'roots', version: '1.0.0', core: '*', components: [root] }),
);

// Catches: three terms reported as NaN, which leaves the user to search each of them.
test('the error names the term with the non-finite gradient, and the step before', async () => {
  const store = memoryStore();
  const objective = [{ use: 'hard' }, { use: 'squared' }, { use: 'root', weight: 0.5 }];
  const message =
    'step 5: the loss is NaN (the gradient of term "root" was not finite at step 4); earlier checkpoints are kept; try a lower learning rate';
  await expect(trainSmall({ objective }, { store, registry })).rejects.toThrow(message);
  expect((await readManifest(store))?.error).toBe(message);
});

test('a single term is named without a replay', async () => {
  const objective = [{ use: 'root' }];
  await expect(trainSmall({ objective }, { registry })).rejects.toThrow(
    'step 5: the loss is NaN (term "root" is NaN);',
  );
});
