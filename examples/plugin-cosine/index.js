// Cosine distillation: 1 − cosine of teacher's and student's values, per position, averaged
// over pairs of blocks. Patterns are averaged over heads first; if widths differ, a learned
// projector maps the student's hidden states to the teacher's width.
const properties = {
  site: { enum: ['resid', 'pattern'], default: 'resid' },
  layers: { type: 'object', additionalProperties: { type: 'integer' } }, // teacher → student
};

const cosine = {
  kind: 'strategy',
  name: 'cosine',
  summary: 'Angle between hidden states or attention patterns of teacher and student.',
  options: { type: 'object', properties, additionalProperties: false },
  create({ site = 'resid', layers }, { tf }) {
    const hook = { resid: 'hook_resid_post', pattern: 'attn.hook_pattern' }[site];
    const unit = (x) => tf.div(x, tf.sqrt(tf.add(tf.sum(tf.square(x), -1, true), 1e-12)));
    return ({ student: small, teachers: { teacher: large } }) => {
      if (!large) throw new Error('cosine: needs a teacher; give its run folder');
      if (!layers && large.layers !== small.layers)
        throw new Error(`cosine: ${large.layers} blocks meet ${small.layers}; give "layers"`);
      const all = Array.from({ length: small.layers }, (_, l) => [l, l]);
      const layerPairs = layers ? Object.entries(layers) : all;
      const pairs = layerPairs.map((pair) => pair.map((l) => `blocks.${l}.${hook}`));
      const shape = [small.width, large.width];
      const projected = site === 'resid' && small.width !== large.width;
      const draw = (rng) => rng.normal(shape[0] * shape[1]).map((z) => z / Math.sqrt(shape[0]));
      return {
        needs: { student: pairs.map(([, s]) => s), teachers: { teacher: pairs.map(([t]) => t) } },
        auxiliaryParams: (rng) =>
          projected ? { W: { data: draw(rng), shape, dtype: 'float32' } } : {},
        loss({ student, teacher, auxiliary }) {
          const rows = (x) => (site === 'resid' ? tf.reshape(x, [-1, x.shape[2]]) : tf.mean(x, 1));
          const up = (h) => (projected ? tf.matMul(h, auxiliary('W')) : h); // [batch·pos, d_teacher]
          const terms = pairs.map(([t, s]) => {
            const angles = tf.mul(unit(rows(teacher(t))), unit(up(rows(student(s)))));
            return tf.mean(tf.sub(1, tf.sum(angles, -1)));
          });
          return { cosine: tf.div(tf.addN(terms), terms.length) };
        },
      };
    };
  },
};

export default { name: 'grok-cosine', version: '0.1.0', core: '>=0.1.0 <1', components: [cosine] };
