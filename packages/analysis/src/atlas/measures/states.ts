/** Hidden states of rows as points: along their principal components, colored by the answer. */
import { atPosition, computePca } from '@grok/metrics';
import { sitesByKind } from '../../open.js';
import { firstRows, type Measure } from '../measure.js';
import { cell } from '../tables.js';

/** Table `points`: a row of the task in each hidden state at the last position. */
export const states: Measure = {
  name: 'states',
  async measure(subject) {
    const rows = firstRows(subject);
    const { states } = sitesByKind(subject.model.model);
    const read = await subject.readSites(states, rows);
    return {
      points: states.flatMap((site) => {
        const { scores } = computePca(atPosition(read(site), -1), 2);
        return scores.map(([x, y], i) => ({
          ...{ site, x: cell(x), y: cell(y), answer: subject.task.labels[rows[i] ?? 0] ?? null },
        }));
      }),
    };
  },
};
