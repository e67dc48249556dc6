/** Hidden states as points. */
import { type AtlasFigure, collectRows } from '../figure.js';
import { choose } from '../marks.js';
import { nameSites, site, whose } from './columns.js';

/** Principal components of hidden states. */
export const principalComponents: AtlasFigure = {
  id: 'pca',
  group: 'Representations',
  title: 'Hidden states along their principal components',
  caption:
    'Validation rows at the last position, colored by the answer. Where the state says nothing of the answer, colors are mixed as by chance.',
  data: (runs) => nameSites(collectRows(runs, 'states', 'points')),
  draw: (rows) => ({
    ...choose(rows, [...whose, site]),
    width: 'container',
    height: 360,
    mark: { type: 'circle', size: 40, opacity: 0.85 },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: 'first component' },
      y: { field: 'y', type: 'quantitative', title: 'second component' },
      color: {
        ...{ field: 'answer', type: 'quantitative', title: 'answer' },
        scale: { scheme: 'rainbow' },
      },
      tooltip: [
        { field: 'answer', title: 'answer' },
        { field: 'x', title: 'first component' },
        { field: 'y', title: 'second component' },
      ],
    },
  }),
};
