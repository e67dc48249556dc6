/** Loss and accuracy of given parameters over chosen rows, outside a training run. */

import type { Backend, Score, Task } from '../contracts/types.js';
import { computeLayout, reader } from '../tensors/params.js';
import { createRowPrograms, toArrays } from './run-in-batches.js';
import { EVAL_ROWS, type Teacher } from './sites.js';
import { evaluation } from './step.js';

/** Mean hard loss (nats) and accuracy (0–1) over `rows` of a task, without dropout. */
export async function evaluateParams(
  backend: Backend,
  { model, params }: Teacher,
  task: Task,
  rows: Int32Array,
): Promise<Score> {
  const evaluate = evaluation({ model, layout: computeLayout(params), flat: false });
  const programs = createRowPrograms(backend, 'eval', evaluate);
  const input = { params, data: toArrays(task), rows, most: EVAL_ROWS };
  let [loss, correct] = [0, 0];
  try {
    for await (const part of programs.run(input)) {
      const read = reader('score', part.values);
      loss += (read('loss').data[0] ?? Number.NaN) * part.rows;
      correct += read('correct').data[0] ?? Number.NaN;
    }
  } finally {
    programs.dispose();
  }
  return { loss: loss / rows.length, accuracy: correct / rows.length };
}
