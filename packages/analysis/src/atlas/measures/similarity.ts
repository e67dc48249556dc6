/** How alike a student and its teacher are: every pair of hidden states at the last position, with what chance shows. */
import { rng } from '@grok/core';
import { atPosition, ckaTest, procrustes, svcca } from '@grok/metrics';
import { DRAWS } from '../../compare.js';
import { sitesByKind } from '../../open.js';
import { type AtlasMeasure, firstRows } from '../measure.js';
import { cell, type TableRow } from '../tables.js';

const ROWS = 128;
type Matrix = ReturnType<typeof atPosition>;

/** Table `similarity`: a row for each pair of hidden states; chance is the same with the rows of one permuted. */
export const similarityMeasure: AtlasMeasure = {
  name: 'similarity',
  comparesTeacher: true,
  async measure(subject) {
    const { teacher } = subject;
    if (teacher === undefined) return {};
    const rows = firstRows(subject, ROWS);
    const order = [...rng(0).split('atlas similarity').permutation(rows.length)];
    const [mine, theirs] = [await readStates(subject, rows), await readStates(teacher, rows)];
    const found: TableRow[] = [];
    for (const [site, x] of mine)
      for (const [teacherSite, y] of theirs) {
        const shuffled = x.subMatrixRow(order);
        const test = ckaTest(y, x, { rng: rng(0).split('atlas cka'), ...DRAWS });
        found.push({
          ...{ site, teacherSite, cka: cell(test.debiased), ckaChance: cell(test.null.debiased) },
          ...{ ckaHigh: cell(test.null.interval[1]), p: cell(test.null.p) },
          ...{ svcca: cell(svcca(y, x).mean), svccaChance: cell(svcca(y, shuffled).mean) },
          ...{
            procrustes: cell(procrustes(y, x)),
            procrustesChance: cell(procrustes(y, shuffled)),
          },
        });
      }
    return { similarity: found };
  },
};

async function readStates(
  subject: Parameters<AtlasMeasure['measure']>[0],
  rows: Int32Array,
): Promise<readonly (readonly [string, Matrix])[]> {
  const { states } = sitesByKind(subject.model.model);
  const read = await subject.readSites(states, rows);
  return states.map((site) => [site, atPosition(read(site), -1)] as const);
}
