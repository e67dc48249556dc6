/** Relational distillation (Park et al. 2019): matches distances and angles between the rows of a batch. */
import type { ComponentDefinition, Plugin } from '@grok/core';
import type * as tf from '@grok/tfjs';

/** Options of `rkd`, with defaults filled in. */
export interface Options {
  /** Number of rows of the batch to relate; angles need its cube. */
  readonly samples: number;
  /** Weight of the angles relative to the distances (2 in the paper). */
  readonly angles: number;
}

/**
 * Huber losses of distances (divided by their mean) and of the cosines of angles, between rows of
 * `pooled`, `[batch, d_model]`.
 */
export const rkd: ComponentDefinition<'strategy', Options> = {
  kind: 'strategy',
  name: 'rkd',
  summary: 'Distances and angles between rows, as in the teacher.',
  options: {
    type: 'object',
    properties: {
      samples: { type: 'integer', minimum: 3, default: 32 },
      angles: { type: 'number', minimum: 0, default: 2 },
    },
    additionalProperties: false,
  },
  create({ samples, angles }, { tf }) {
    const relations = (x: tf.Tensor): { distances: tf.Tensor; angles: tf.Tensor } => {
      const n = Math.min(samples, x.shape[0]!);
      const few = tf.slice(x, [0, 0], [n, x.shape[1]!]); // [n, d]
      const gaps = tf.sub(tf.expandDims(few, 1), tf.expandDims(few, 0)); // [n, n, d]
      const far = tf.sqrt(tf.add(tf.sum(tf.square(gaps), -1), 1e-6)); // [n, n]
      const others = tf.expandDims(tf.sub(1, tf.eye(n)), -1); // a row has no angle at itself
      const units = tf.mul(tf.div(gaps, tf.expandDims(far, -1)), others); // [n, n, d]
      const cosines = tf.matMul(units, units, false, true); // [n, n, n]
      return { distances: tf.div(far, tf.mean(far)), angles: cosines };
    };
    return ({ teachers }) => {
      if (teachers.teacher === undefined)
        throw new Error('rkd: needs a teacher; name a finished run');
      return {
        needs: { student: ['pooled'], teachers: { teacher: ['pooled'] } },
        loss({ student, teacher }) {
          const [own, wanted] = [relations(student('pooled')), relations(teacher('pooled'))];
          const distances: tf.Scalar = tf.losses.huberLoss(wanted.distances, own.distances);
          const cosines = tf.losses.huberLoss(wanted.angles, own.angles);
          return { distances, angles: tf.mul(cosines, angles) as tf.Scalar };
        },
      };
    };
  },
};

/** The package as a plugin. */
const plugin: Plugin = {
  name: '@third/rkd',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [rkd],
};
export default plugin;
