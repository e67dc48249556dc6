/** One strategy on a ten-line model, with no other package of this project installed. */
import { wasm } from '@grok/backend-wasm';
import { rng } from '@grok/core';
import { valueAndGrads } from '@grok/core/internal';
import { attention } from '@grok/distill-attention';
import * as tf from '@grok/tfjs';

const pattern = 'blocks.0.attn.hook_pattern';
const sizes = {
  layers: 1,
  width: 4,
  heads: 1,
  sites: [{ name: pattern, shape: [1, 3, 3], axes: ['head', 'query', 'key'] }],
};
const tokens = Int32Array.of(0, 1, 2, 3, 1, 0, 2, 2, 3);

/** Attention patterns of an embedding `[vocabulary, width]`: `[batch, 1, pos, pos]`. */
function patternOf(W: tf.Tensor): tf.Tensor {
  const x = tf.gather(W, tf.tensor2d(tokens, [3, 3], 'int32')); // [batch, pos, width]
  return tf.expandDims(tf.softmax(tf.matMul(x, x, false, true)), 1);
}

const term = attention()({ student: sizes, teachers: { teacher: sizes } });
const backend = await wasm();
const upload = (label: string) => backend.upload(rng(1).split(label).normal(16), [4, 4], 'float32');
const teacher = upload('teacher');
let student = upload('student');
const step = await backend.compile(
  'step',
  ({ student: own, teacher: teacherParam }: { student: tf.Tensor; teacher: tf.Tensor }) => {
    const { loss, grads } = valueAndGrads(
      ({ W }) => {
        const parts = term.loss({
          student: () => patternOf(W!),
          teacher: () => patternOf(teacherParam),
          auxiliary: () => W!,
          param: () => W!,
          teacherParam: () => teacherParam,
          random: () => W!,
          inputs: tf.tensor2d(tokens, [3, 3], 'int32'),
          labels: tf.tensor1d([0, 0, 0], 'int32'),
          step: tf.scalar(0, 'int32'),
        });
        return { loss: parts.attention!, aux: {} };
      },
      { W: own },
    );
    return { student: tf.sub(own, tf.mul(grads.W!, 5)), loss };
  },
  { student, teacher },
  { donate: ['student'] },
);
const losses: number[] = [];
for (let i = 0; i < 50; i++) {
  const out = await step.run({ student, teacher });
  losses.push((await backend.read(out.loss))[0]!);
  backend.free(out.loss);
  student = out.student;
}
const [first, last] = [losses[0]!, losses.at(-1)!];
if (!(last < first / 2)) throw new Error(`the student did not learn: ${first} → ${last}`);
console.log(`literal model: loss ${first.toFixed(4)} → ${last.toFixed(4)}`);
