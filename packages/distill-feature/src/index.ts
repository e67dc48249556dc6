/**
 * Feature distillation (Romero et al. 2015, FitNets; the paper, section 3.1.3): hidden states are
 * compared through learned linear projectors, one for each pair of states.
 */
import {
  type Component,
  combine,
  definePlugin,
  defineStrategy,
  type HostArray,
  hiddenStates,
  type LossContext,
  layerMap,
  layerPairs,
  listNeeds,
  oneOf,
  type Plugin,
  type Rng,
  type Site,
  schema,
  text,
} from '@grok/core';
import { findTables, requireTeacher, tokenShares } from '@grok/core/internal';
import type * as tf from '@grok/tfjs';

/** Options of `feature`. */
export interface FeatureOptions {
  /**
   * `teacher-to-student` (default, as published): MSE(H_S, H_T·P), whose projected target can
   * shrink. `student-to-teacher` (FitNets): MSE(H_S·P, H_T).
   */
  readonly direction?: 'teacher-to-student' | 'student-to-teacher';
  /** Which hidden states are compared, teacher → student, numbered from the embedding as in `hiddenStates`. */
  readonly layers?: Readonly<Record<string, number>>;
  /** Reduction over pairs of states: `mean` (default, as in the reference code) or `sum` (as in the paper). */
  readonly reduce?: 'mean' | 'sum';
  /** Name of the teacher; default `teacher`. */
  readonly teacher?: string;
}

/**
 * Mean squared error between hidden states `[batch, pos, d]`, one of them mapped by a projector without bias.
 * The projectors `projector.I.W` (I: the teacher's state), `[d_from, d_to]`, are trained with the student, with
 * weight decay. No gradient reaches the teacher.
 */
export const feature: Component<'strategy', FeatureOptions> = defineStrategy({
  name: 'feature',
  summary: 'Mean squared error between hidden states, through learned linear projectors.',
  options: schema({
    direction: oneOf('teacher-to-student', 'student-to-teacher')
      .default('teacher-to-student')
      .describe('whether the projector maps teacher states to student states, or the reverse'),
    layers: layerMap()
      .refine((map) => Object.keys(map).length > 0, 'a layer map names at least one pair')
      .optional()
      .describe('which hidden states are compared, teacher → student (default: the same index)'),
    reduce: oneOf('mean', 'sum')
      .default('mean')
      .describe('how the losses of the pairs are combined'),
    teacher: text().default('teacher').describe('name of the teacher'),
  }),
  create({ direction, layers, reduce, teacher: name }, { tf }) {
    return (models) => {
      const indices = layerPairs(models, layers, String, {
        teacher: name,
        layers: (model) => hiddenStates(model).length,
        what: 'hidden states',
      });
      const source = requireTeacher('distillation', models, name);
      const widths = { teacher: source.width, student: models.student.width };
      const states = { teacher: hiddenStates(source), student: hiddenStates(models.student) };
      const pairs = indices.map(([t, s]): Pair => {
        const sites = [states.teacher[+t]!, states.student[+s]!] as const;
        // Embeddings have one state per token, so they need not be requested per position.
        return { sites, tables: findTables(models, sites, name), projector: `projector.${t}.W` };
      });
      const up = direction === 'student-to-teacher';
      const [from, to] = up ? [widths.student, widths.teacher] : [widths.teacher, widths.student];
      const needed = pairs.filter(({ tables }) => tables === undefined).map(({ sites }) => sites);

      /** Mean squared error of one pair, with each token's projected entry weighted by its frequency in the batch. */
      const meanSquaredError = (pair: Pair, context: LossContext): tf.Scalar => {
        const [theirs, own] = readStates(pair, context, name);
        const hT = tf.reshape(theirs, [-1, widths.teacher]); // [batch·pos | d_vocab, d_teacher]
        const hS = tf.reshape(own, [-1, widths.student]); // […, d_student]
        const projected = tf.matMul(up ? hS : hT, context.auxiliary(pair.projector)); // […, d_to]
        // tfjs's own loss computes the difference again for each side's gradient.
        const squares = tf.square(tf.sub(up ? hT : hS, projected));
        if (pair.tables === undefined) return tf.mean(squares);
        const [rows] = hS.shape;
        const share = tf.div(tokenShares(context.inputs, rows), to); // [d_vocab, 1]
        return tf.sum(tf.mul(squares, share));
      };
      return {
        needs: listNeeds(needed, name),
        auxiliaryParams: (rng) =>
          Object.fromEntries(
            pairs.map(({ projector }) => [projector, lecunNormal(rng.split(projector), from, to)]),
          ),
        loss: (context) => ({
          feature: combine(
            reduce,
            pairs.map((pair) => meanSquaredError(pair, context)),
          ),
        }),
      };
    };
  },
});

/** A pair of hidden states, and the projector between them. */
interface Pair {
  /** The teacher's and the student's. */
  readonly sites: readonly [Site, Site];
  /** Their tables, if both are looked up by token. */
  readonly tables: readonly [string, string] | undefined;
  readonly projector: string;
}

/** The teacher's and the student's values of a pair: per position or per token. */
function readStates(
  { sites: [theirs, own], tables }: Pair,
  { teacher, student, teacherParam, param }: LossContext,
  name: string,
): readonly [tf.Tensor, tf.Tensor] {
  if (tables === undefined) return [teacher(theirs, name), student(own)];
  const [table, ownTable] = tables;
  return [teacherParam(table, name), param(ownTable)];
}

/** Normal truncated at ±2σ, with variance 1/fan_in after truncation (as JAX's `lecun_normal`). */
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
