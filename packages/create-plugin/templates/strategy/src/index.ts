/** `my-strategy`: state where the idea comes from (paper, section). */
import type { ComponentDefinition, Plugin } from '@grok/core';
import type * as tf from '@grok/tfjs';

/** Options of `my-strategy`, defaults filled in. */
export interface Options {
  /** Factor of the loss, > 0. */
  readonly scale: number;
}

/** Mean squared error between the logits of teacher and student, `[batch, d_vocab]`. */
export const myStrategy: ComponentDefinition<'strategy', Options> = {
  kind: 'strategy',
  name: 'my-strategy',
  summary: 'Mean squared error between the logits of teacher and student.',
  options: {
    type: 'object',
    properties: { scale: { type: 'number', exclusiveMinimum: 0, default: 1 } },
    additionalProperties: false,
  },
  create({ scale }, { tf }) {
    return ({ teachers }) => {
      if (teachers.teacher === undefined)
        throw new Error('my-strategy: needs a teacher; name a finished run');
      return {
        needs: { student: ['logits'], teachers: { teacher: ['logits'] } },
        loss({ student, teacher }) {
          const gap = tf.sub(student('logits'), teacher('logits')); // [batch, d_vocab]
          return { myStrategy: tf.mul(tf.mean(tf.square(gap)), scale) as tf.Scalar };
        },
      };
    };
  },
};

/** The plugin with all components of this package. */
const plugin: Plugin = {
  name: 'grok-my-strategy',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [myStrategy],
};
export default plugin;
