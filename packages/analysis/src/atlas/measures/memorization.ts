/** Whether a run crossed a barrier from before it generalized, when it had at most memorized, to its end. */
import { connectLinearly, createLossSurface, makeBatch } from '@grok/interp';
import { type AtlasMeasure, type Subject, spreadOut } from '../measure.js';
import { cell, type MeasuredTables } from '../tables.js';

/** Training rows that the loss is a mean over. */
const ROWS = 1024;

/**
 * Tables `line` and `barrier`: loss and accuracy of training rows, without dropout, on the line from the last state
 * with less than half of the validation rows right to the last state, how far it rises above its chord, and the
 * accuracy where it begins: near 1 where the run had memorized. Empty where no such state is kept, or the run did
 * not generalize.
 */
export const memorizationMeasure: AtlasMeasure = {
  name: 'memorization',
  readsStates: true,
  measure: measureMemorization,
};

/** What this measure reads of a run. */
type Learner = Pick<Subject, 'model' | 'task' | 'split' | 'step' | 'steps' | 'readState'> & {
  readonly run: Pick<Subject['run'], 'history'>;
};

/** The tables of `memorization`. */
export async function measureMemorization(subject: Learner): Promise<MeasuredTables> {
  const { model, task, split, step, readState } = subject;
  const from = findBefore(subject);
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
      barrier: [
        {
          ...{ from, to: step, accuracyBefore: cell(found.accuracy[0]) },
          ...{ loss: cell(loss), accuracy: cell(accuracy), t: cell(at) },
        },
      ],
    };
  } finally {
    surface.dispose();
  }
}

/** The step of the last state at hand from before the run generalized. */
function findBefore({ run, steps }: Learner): number | undefined {
  if ((run.history.at(-1)?.validation.accuracy ?? 0) < 0.5) return undefined;
  return steps.findLast((step) => {
    const row = run.history.findLast((it) => it.step <= step);
    return row !== undefined && row.validation.accuracy < 0.5;
  });
}
