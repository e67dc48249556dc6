/** Loss and accuracy of parameters over chosen rows, outside a training run. */
import type * as tf from '@grok/tfjs';
import { freeTree, ranges, takeRows, uploadTree } from './device.js';
import { layoutOf } from './params.js';
import { type EvalInputs, evaluation } from './step.js';
import { EVAL_ROWS, type Teacher } from './teacher.js';
import type { Backend, HostArray, OnDevice, Score, Signature, Task } from './types.js';

/** Mean hard loss (nats) and accuracy (0–1) over `rows` of a task, without dropout. */
export async function evaluateParams(
  backend: Backend,
  { model, params }: Teacher,
  task: Task,
  rows: Int32Array,
): Promise<Score> {
  type Outputs = { loss: tf.Scalar; correct: tf.Scalar };
  const labels: HostArray = { shape: [task.labels.length], dtype: 'int32', data: task.labels };
  const onDevice = uploadTree(backend, params);
  const fn = evaluation({ model, layout: layoutOf(params), flat: false });
  let [loss, correct] = [0, 0];
  for (const [start, end] of ranges(rows.length, EVAL_ROWS)) {
    const at = rows.subarray(start, end);
    const batch = uploadTree(backend, {
      inputs: takeRows(task.inputs, at),
      labels: takeRows(labels, at),
    });
    const inputs = { params: onDevice, ...batch } as unknown;
    const program = await backend.compile<EvalInputs, Outputs>(
      `eval-${at.length}`,
      fn,
      inputs as Signature<EvalInputs>,
    );
    const out = await program.run(inputs as OnDevice<EvalInputs>);
    loss += (await backend.read(out.loss))[0]! * at.length;
    correct += (await backend.read(out.correct))[0]!;
    program.dispose();
    freeTree(backend, batch);
    backend.free(out.loss);
    backend.free(out.correct);
  }
  freeTree(backend, onDevice);
  return { loss: loss / rows.length, accuracy: correct / rows.length };
}
