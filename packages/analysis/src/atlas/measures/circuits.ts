/** The heads and neurons that keep the answer, and what of a student's circuit is in its teacher's. */
import { compareCircuits, makeBatch, matchNeurons } from '@grok/interp';
import { type AtlasMeasure, firstRows } from '../measure.js';
import { cell } from '../tables.js';

/** Table `members`: by kind and block, how many components there are and are in the circuit, and their largest effect. */
export const circuitMeasure: AtlasMeasure = {
  name: 'circuit',
  async measure(subject) {
    const found = await subject.readCircuit();
    const { components, members, share } = found;
    const inside = new Set(members.map(({ name }) => name));
    return {
      summary: [
        {
          share: cell(share),
          keep: found.keep,
          members: members.length,
          components: components.length,
        },
      ],
      components: components.map(({ name, kind, layer, effect }) => ({
        ...{ component: name, kind, block: layer, effect: cell(effect) },
        member: inside.has(name) ? 1 : 0,
      })),
    };
  },
};

/** Table `overlap`: Jaccard index and rank correlation of effects with the teacher's circuit, and what chance shows. */
export const overlapMeasure: AtlasMeasure = {
  name: 'overlap',
  comparesTeacher: true,
  async measure(subject) {
    const { teacher, task } = subject;
    if (teacher === undefined) return {};
    const { inputs } = makeBatch(task, firstRows(subject));
    const neurons = await matchNeurons(teacher.model, subject.model, inputs);
    const found = compareCircuits(await teacher.readCircuit(), await subject.readCircuit(), {
      neurons,
    });
    const { jaccard, rankCorrelation } = found;
    return {
      overlap: Object.entries({ jaccard, rankCorrelation }).map(([statistic, tested]) => ({
        ...{ statistic, value: cell(tested.value), chance: cell(tested.chance), p: cell(tested.p) },
      })),
      neurons: neurons.flatMap((pairs, block) =>
        pairs.map(({ a, b, correlation }) => ({
          ...{ block, teacher: a, student: b, correlation: cell(correlation) },
        })),
      ),
    };
  },
};
