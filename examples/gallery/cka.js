// Compares hidden states by linear CKA (Kornblith et al. 2019, section 3): 1 − CKA of the teacher's
// and student's values at a site, with rows of the batch as samples; widths may differ without a
// projector.
export const cka = {
  kind: 'strategy',
  name: 'cka',
  summary: 'One minus linear CKA between hidden states of teacher and student.',
  options: {
    type: 'object',
    properties: { site: { type: 'string', minLength: 1, default: 'pooled' } },
    additionalProperties: false,
  },
  create({ site }, { tf }) {
    const centred = (x) => {
      const rows = tf.reshape(x, [x.shape[0], -1]); // [batch, all]
      return tf.sub(rows, tf.mean(rows, 0, true));
    };
    const squares = (a, b) => tf.sum(tf.square(tf.matMul(a, b, true, false))); // [all, all] → []
    return ({ teachers }) => {
      if (!teachers.teacher) throw new Error('cka: needs a teacher; name a finished run');
      return {
        needs: { student: [site], teachers: { teacher: [site] } },
        loss({ student, teacher }) {
          const [s, t] = [centred(student(site)), centred(teacher(site))];
          const sizes = tf.sqrt(tf.add(tf.mul(squares(s, s), squares(t, t)), 1e-12));
          return { cka: tf.sub(1, tf.div(squares(s, t), sizes)) };
        },
      };
    };
  },
};
