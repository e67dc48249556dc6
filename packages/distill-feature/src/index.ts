/**
 * Feature distillation (Romero et al. 2015, FitNets; the paper, section 3.1.3): hidden states meet
 * through learnt linear projectors, one for each pair of states.
 */
import {
  type Component,
  combine,
  definePlugin,
  defineStrategy,
  type HostArray,
  hiddenStates,
  layerMap,
  layerPairs,
  needsOf,
  oneOf,
  type Plugin,
  type Rng,
  schema,
  text,
} from '@grok/core';
import { tablesOf, tokenShares } from '@grok/core/internal';
import type * as tf from '@grok/tfjs';

/** Options of `feature`. */
export interface FeatureOptions {
  /**
   * `teacher-to-student` (default, as published): MSE(H_S, H_T·P); the projected target can shrink.
   * `student-to-teacher` (FitNets): MSE(H_S·P, H_T).
   */
  readonly direction?: 'teacher-to-student' | 'student-to-teacher';
  /** Which hidden states meet, teacher → student, counted from the embedding, as `hiddenStates` lists them. */
  readonly layers?: Readonly<Record<string, number>>;
  /** Over pairs of states: `mean` (default, as the reference computes) or `sum` (as the paper writes). */
  readonly reduce?: 'mean' | 'sum';
  /** Name of the teacher, default `teacher`. */
  readonly teacher?: string;
}

/**
 * Mean squared error between hidden states `[batch, pos, d]` on one side of a bias-free projector.
 * Its parameters `projector.I.W` (I: the teacher's state), `[d_from, d_to]`, are trained and decayed
 * with the student's. No gradient to the teacher.
 */
export const feature: Component<'strategy', FeatureOptions> = defineStrategy({
  name: 'feature',
  summary: 'Mean squared error between hidden states, through learnt linear projectors.',
  options: schema({
    direction: oneOf('teacher-to-student', 'student-to-teacher').default('teacher-to-student'),
    layers: layerMap()
      .refine((map) => Object.keys(map).length > 0, 'a layer map names at least one pair')
      .optional(),
    reduce: oneOf('mean', 'sum').default('mean'),
    teacher: text().default('teacher'),
  }),
  create({ direction, layers, reduce, teacher: name }, { tf }) {
    return (models) => {
      const indices = layerPairs(models, layers, String, {
        teacher: name,
        layers: (model) => hiddenStates(model).length,
        what: 'hidden states',
      });
      const source = models.teachers[name]!;
      const [theirs, own] = [hiddenStates(source), hiddenStates(models.student)];
      const pairs = indices.map(([t, s]) => [theirs[+t]!, own[+s]!] as const);
      // The embeddings: there is one state a token, and no need to ask for one a position.
      const tables = pairs.map((pair) => tablesOf(models, pair, name));
      const names = indices.map(([t]) => `projector.${t}.W`);
      const up = direction === 'student-to-teacher';
      const [from, to] = up
        ? [models.student.width, source.width]
        : [source.width, models.student.width];
      return {
        needs: needsOf(
          pairs.filter((_, i) => tables[i] === undefined),
          name,
        ),
        auxiliaryParams: (rng) =>
          Object.fromEntries(names.map((n) => [n, lecunNormal(rng.split(n), from, to)])),
        loss({ student, teacher, auxiliary, param, teacherParam, inputs }) {
          const mse = pairs.map(([t, s], i): tf.Scalar => {
            const table = tables[i];
            const [theirs, own] = table
              ? [teacherParam(table[0], name), param(table[1])]
              : [teacher(t, name), student(s)];
            const hT = tf.reshape(theirs, [-1, source.width]); // [batch·pos | d_vocab, d_teacher]
            const hS = tf.reshape(own, [-1, models.student.width]); // […, d_student]
            const projected = tf.matMul(up ? hS : hT, auxiliary(names[i]!)); // […, d_to]
            // tfjs's own takes the difference again for each side's gradient.
            const squares = tf.square(tf.sub(up ? hT : hS, projected));
            if (!table) return tf.mean(squares);
            const share = tf.div(tokenShares(inputs, hS.shape[0]!), to); // [d_vocab, 1]
            return tf.sum(tf.mul(squares, share));
          });
          return { feature: combine(reduce, mse) };
        },
      };
    };
  },
});

/** Normal cut at ±2σ with variance 1/fan_in after the cut (as JAX's `lecun_normal`). */
function lecunNormal(rng: Rng, fanIn: number, fanOut: number): HostArray {
  const sigma = Math.sqrt(1 / fanIn) / 0.87962566;
  const data = rng.truncatedNormal(fanIn * fanOut).map((z) => z * sigma);
  return { data, shape: [fanIn, fanOut], dtype: 'float32' };
}

/** The strategies of this package, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/distill-feature',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [feature],
});
export default plugin;
