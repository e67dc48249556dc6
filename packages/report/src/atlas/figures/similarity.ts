/** How alike students and their teachers are, hidden state by hidden state. */
import { type AtlasFigure, averageOverSeeds, collectRows, SHARE } from '../figure.js';
import { bars, type ChartField, choose, heatMap } from '../marks.js';
import { nameSites, site, teacherSite, whose } from './columns.js';

const group = 'Representations';
const read: AtlasFigure['data'] = (runs) =>
  nameSites(collectRows(runs, 'similarity', 'similarity'));

/** A similarity of every pair of layers; what chance shows is read beside each cell. */
function ofPairs(
  about: Pick<AtlasFigure, 'id' | 'title' | 'caption'>,
  value: ChartField,
  domain: readonly [number, number],
  reported: readonly ChartField[],
): AtlasFigure {
  return {
    ...about,
    ...{ group, data: read },
    draw: (rows) =>
      heatMap({
        ...{ rows, x: teacherSite, y: site, value, domain, reported },
        choices: choose(rows, whose),
      }),
  };
}

/** CKA by pair of layers. */
export const ckaFigure: AtlasFigure = ofPairs(
  {
    id: 'cka',
    title: 'CKA of every pair of layers',
    caption:
      'Debiased linear CKA of a student’s hidden states (rows) with its teacher’s (columns), at the last position, on validation rows. Unrelated states give 0 in the mean; the largest value of 97.5 % of permutations of the rows is shown with each cell.',
  },
  { field: 'cka', title: 'CKA' },
  [0, 1],
  [
    { field: 'ckaChance', title: 'chance' },
    { field: 'ckaHigh', title: 'chance at most' },
    { field: 'p', title: 'p' },
  ],
);

/** CKA of the same layers, over seeds. */
export const ckaArmsFigure: AtlasFigure = {
  id: 'cka-arms',
  group,
  title: 'CKA with the teacher, arms side by side',
  caption:
    'Debiased CKA of the same hidden state of student and teacher, means over seeds with 95 % t intervals. The mark across a bar is what permuted rows give; what the control without a teacher shares was not inherited.',
  data: (runs) =>
    averageOverSeeds(
      read(runs).filter((row) => row.site === row.teacherSite),
      ['site'],
      'cka',
      { chance: 'ckaChance' },
    ),
  draw: (_, labels) => bars({ x: site, y: { field: 'value', title: 'CKA' }, labels }),
};

/** SVCCA by pair of layers. */
export const svccaFigure: AtlasFigure = ofPairs(
  {
    id: 'svcca',
    title: 'SVCCA of every pair of layers',
    caption:
      'Mean canonical correlation between the directions that carry 99 % of the variance of each state. Few rows and many directions correlate by chance: the same with permuted rows is shown with each cell.',
  },
  { field: 'svcca', title: 'SVCCA' },
  [0, 1],
  [{ field: 'svccaChance', title: 'chance' }],
);

/** Procrustes distance by pair of layers. */
export const procrustesFigure: AtlasFigure = ofPairs(
  {
    id: 'procrustes',
    title: 'Alignment of hidden states',
    caption:
      'Squared Procrustes distance after the best rotation, both states centered and of norm 1: 0 for equal shapes, 2 for unrelated ones of infinitely many rows. The same with permuted rows is shown with each cell.',
  },
  { field: 'procrustes', title: 'distance' },
  [0, 2],
  [{ field: 'procrustesChance', title: 'chance' }],
);

/** What a student does with its teacher's states. */
export const stitchingFigure: AtlasFigure = {
  id: 'stitching',
  group,
  title: 'The teacher’s states in the student',
  caption:
    'Accuracy of a student as it is, with its teacher’s states put in its own place through a linear map fitted on training rows, and with its own mean states, which any map can give: chance. Means over seeds with 95 % t intervals.',
  data: (runs) =>
    averageOverSeeds(
      nameSites(collectRows(runs, 'stitching', 'stitching')),
      ['site', 'states'],
      'accuracy',
      { bounds: SHARE },
    ),
  draw: (rows, labels) =>
    bars({
      ...{ x: { field: 'states', title: 'states' }, labels, domain: [0, 1] },
      y: { field: 'value', title: 'accuracy' },
      choices: choose(rows, [site]),
    }),
};
