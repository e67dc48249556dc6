// Two teachers at once (You et al. 2017): the student follows the mean of their softened
// probabilities. A run names both under "teachers"; their order does not matter.
export const twoTeachers = {
  kind: 'strategy',
  name: 'two-teachers',
  summary: 'KL divergence to the mean of two teachers’ softened probabilities, times τ².',
  options: {
    type: 'object',
    properties: {
      teachers: {
        type: 'array',
        items: { type: 'string' },
        minItems: 2,
        maxItems: 2,
        default: ['teacher', 'second'],
      },
      temperature: { type: 'number', exclusiveMinimum: 0, default: 2 },
    },
    additionalProperties: false,
  },
  create({ teachers: names, temperature }, { tf }) {
    return (models) => {
      for (const name of names)
        if (!models.teachers[name])
          throw new Error(`two-teachers: there is no teacher named "${name}"; name two runs`);
      return {
        needs: {
          student: ['logits'],
          teachers: Object.fromEntries(names.map((name) => [name, ['logits']])),
        },
        loss({ student, teacher }) {
          const soft = (logits) => tf.softmax(tf.div(logits, temperature)); // [batch, d_vocab]
          const [a, b] = names.map((name) => soft(teacher('logits', name)));
          const mean = tf.div(tf.add(a, b), 2);
          const gap = tf.sub(
            tf.log(tf.add(mean, 1e-12)),
            tf.logSoftmax(tf.div(student('logits'), temperature)),
          );
          const kl = tf.mean(tf.sum(tf.mul(mean, gap), -1));
          return { teachers: tf.mul(kl, temperature ** 2) };
        },
      };
    };
  },
};
