/** Whether a run had to cross a barrier from where it had memorized its training rows to where it generalizes. */
import { connectLinearly, createLossSurface, makeBatch } from '@grok/interp';
import { type Measure, type Subject, spreadOut } from '../measure.js';
import { cell, type MeasuredTables } from '../tables.js';

/** Training rows that the loss is a mean over. */
const ROWS = 1024;

/**
 * Tables `line` and `barrier`: loss and accuracy of training rows on the line from the last state that had
 * memorized (training accuracy ≥ .99, validation accuracy < .5) to the last, and how far it rises above its chord;
 * empty where no such state is kept, or the run did not generalize.
 */
export const memorization: Measure = {
  name: 'memorization',
  readsStates: true,
  measure: measureMemorization,
};

/** What this measure reads of a run. */
type Memorizer = Pick<Subject, 'model' | 'task' | 'split' | 'step' | 'steps' | 'readState'> & {
  readonly run: Pick<Subject['run'], 'history'>;
};

/** The tables of `memorization`. */
export async function measureMemorization(subject: Memorizer): Promise<MeasuredTables> {
  const { model, task, split, step, readState } = subject;
  const from = findMemorized(subject);
  if (from === undefined) return { line: [], barrier: [] };
  const batch = makeBatch(task, Int32Array.from(spreadOut([...split.train], ROWS)));
  const surface = createLossSurface({ backend: model.backend, model: model.model, batch });
  try {
    const start = await readState(from);
    const found = await connectLinearly(surface, start.params, model.params);
    const { loss, accuracy, at } = found.barrier;
    return {
      line: found.t.map((t, i) => ({
        ...{ t: cell(t), loss: cell(found.loss[i]), accuracy: cell(found.accuracy[i]) },
      })),
      barrier: [{ from, to: step, loss: cell(loss), accuracy: cell(accuracy), t: cell(at) }],
    };
  } finally {
    surface.dispose();
  }
}

/** The last state at hand that had memorized. */
function findMemorized({ run, steps }: Memorizer): number | undefined {
  if ((run.history.at(-1)?.validation.accuracy ?? 0) < 0.5) return undefined;
  return steps.findLast((step) => {
    const row = run.history.findLast((it) => it.step <= step);
    return row !== undefined && row.train.accuracy >= 0.99 && row.validation.accuracy < 0.5;
  });
}
