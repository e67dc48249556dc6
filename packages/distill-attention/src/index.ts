/**
 * Attention distillation (Zagoruyko & Komodakis 2017; the paper, section 3.1.2): the student's
 * attention patterns follow the teacher's.
 */
import {
  type Component,
  combine,
  definePlugin,
  defineStrategy,
  layerMap,
  layerPairs,
  listNeeds,
  oneOf,
  type Plugin,
  schema,
  text,
} from '@grok/core';
import type * as tf from '@grok/tfjs';

/** Options of `attention`. */
export interface AttentionOptions {
  /** Which blocks are compared, teacher → student, such as `{ "1": 0 }`; required if the depths differ. */
  readonly layers?: Readonly<Record<string, number>>;
  /** Reduction over pairs of blocks: `mean` (default, as in the reference code) or `sum` (as in the paper). */
  readonly reduce?: 'mean' | 'sum';
  /** Name of the teacher; default `teacher`. */
  readonly teacher?: string;
}

/**
 * Mean squared error between attention patterns `[batch, head, query, key]` of pairs of blocks. If the head
 * counts differ, both patterns are averaged over heads first. No gradient reaches the teacher.
 */
export const attention: Component<'strategy', AttentionOptions> = defineStrategy({
  name: 'attention',
  summary: 'Mean squared error between teacher and student attention patterns.',
  options: schema({
    layers: layerMap()
      .refine((map) => Object.keys(map).length > 0, 'a layer map names at least one pair')
      .optional()
      .describe('which blocks are compared, teacher → student (default: the same index)'),
    reduce: oneOf('mean', 'sum')
      .default('mean')
      .describe('how the losses of the pairs are combined'),
    teacher: text().default('teacher').describe('name of the teacher'),
  }),
  create({ layers, reduce, teacher: name }, { tf }) {
    return (models) => {
      const pattern = (layer: number) => `blocks.${layer}.attn.hook_pattern`;
      const pairs = layerPairs(models, layers, pattern, { teacher: name });
      const sameHeads = models.teachers[name]?.heads === models.student.heads;
      const comparable = (value: tf.Tensor) => (sameHeads ? value : tf.mean(value, 1)); // [batch, query, key]
      return {
        needs: listNeeds(pairs, name),
        loss: ({ student, teacher }) => ({
          attention: combine(
            reduce,
            pairs.map(([t, s]) =>
              tf.losses.meanSquaredError(comparable(teacher(t, name)), comparable(student(s))),
            ),
          ),
        }),
      };
    };
  },
});

/** The strategies of this package, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/distill-attention',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [attention],
});
export default plugin;
