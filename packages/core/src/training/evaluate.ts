/** Loss and accuracy of parameters over chosen rows, outside a training run. */

import type { Backend, Score, Task } from '../contracts/types.js';
import { layoutOf } from '../tensors/params.js';
import { arraysOf, overRows } from './run-in-batches.js';
import { EVAL_ROWS, type Teacher } from './sites.js';
import { evaluation } from './step.js';

/** Mean hard loss (nats) and accuracy (0–1) over `rows` of a task, without dropout. */
export async function evaluateParams(
  backend: Backend,
  { model, params }: Teacher,
  task: Task,
  rows: Int32Array,
): Promise<Score> {
  const judge = evaluation({ model, layout: layoutOf(params), flat: false });
  const of = { params, data: arraysOf(task), rows, most: EVAL_ROWS };
  let [loss, correct] = [0, 0];
  for await (const part of overRows(backend, 'eval', judge, of)) {
    loss += part.values.loss!.data[0]! * part.rows;
    correct += part.values.correct!.data[0]!;
  }
  return { loss: loss / rows.length, accuracy: correct / rows.length };
}
