/**
 * Logit distillation (Hinton et al. 2015; the paper, section 3.1.1): KL divergence between softened
 * teacher and student distributions.
 */
import {
  type Component,
  definePlugin,
  defineStrategy,
  number,
  type Plugin,
  schema,
} from '@grok/core';

/** Options of `logit`. */
export interface LogitOptions {
  /** τ > 0, default 2. */
  readonly temperature?: number;
}

/**
 * `τ² · mean over rows of Σ p_T (log p_T − log p_S)`, p = softmax(logits/τ). No gradient reaches the teacher.
 */
export const logit: Component<'strategy', LogitOptions> = defineStrategy({
  name: 'logit',
  summary:
    'KL divergence between softened teacher and student logits, times the squared temperature.',
  options: schema({
    temperature: number()
      .positive()
      .default(2)
      .describe('softmax temperature of teacher and student'),
  }),
  create({ temperature }, { tf }) {
    return () => ({
      needs: { student: ['logits'], teachers: { teacher: ['logits'] } },
      loss({ student, teacher }) {
        const target = tf.div(teacher('logits'), temperature); // [batch, d_vocab]
        const pT = tf.softmax(target);
        const logRatio = tf.sub(
          tf.logSoftmax(target),
          tf.logSoftmax(tf.div(student('logits'), temperature)),
        );
        const rows = tf.sum(tf.mul(pT, logRatio), -1); // [batch]
        return { logit: tf.mul(tf.mean(rows), temperature ** 2) };
      },
    });
  },
});

/** The strategies of this package, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/distill-logit',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [logit],
});
export default plugin;
