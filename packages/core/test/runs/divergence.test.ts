/** A gradient that is not a number shows a step later, in every term: the error names those that it came from. */
import { definePlugin, defineStrategy, memoryStore, readManifest, schema } from '@grok/core';
import * as tf from '@grok/tfjs';
import { expect, test } from 'vitest';
import { smallRegistry, trainSmall } from '../helpers/small.js';

/** A loss of 0 whose gradient is 0 · ∞, once the logits were trained away from where they began. */
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

// Catches: three terms that are all NaN, and a search through each of them.
test('the term whose gradient was not finite is named, with the step before', async () => {
  const store = memoryStore();
  const objective = [{ use: 'hard' }, { use: 'squared' }, { use: 'root', weight: 0.5 }];
  const message =
    'step 5: the loss is NaN (the gradient of term "root" was not finite at step 4); earlier checkpoints are kept; try a lower learning rate';
  await expect(trainSmall({ objective }, { store, registry })).rejects.toThrow(message);
  expect((await readManifest(store))?.error).toBe(message);
});

test('a single term needs no search', async () => {
  const objective = [{ use: 'root' }];
  await expect(trainSmall({ objective }, { registry })).rejects.toThrow(
    'step 5: the loss is NaN (term "root" is NaN);',
  );
});
