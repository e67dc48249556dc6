/** Accuracy and loss by epoch, means over seeds. */
import type { MeasuredRun, TableRow } from '@grok/analysis';
import type { MetricsRow } from '@grok/core';
import { averageCurves } from '../../report/data.js';
import type { AtlasFigure } from '../figure.js';
import { lines } from '../marks.js';

/** More epochs than a page is wide in pixels say nothing more. */
const EPOCHS = 240;
/** The smallest loss that is drawn. */
const LEAST = 1e-6;

function listCurves(
  runs: readonly MeasuredRun[],
  of: (row: MetricsRow) => number,
  bounds: readonly [number, number],
): readonly TableRow[] {
  const longest = Math.max(...runs.map(({ run }) => run.history.length));
  const stride = Math.ceil(longest / EPOCHS);
  const thinned = runs.map(({ run }) => ({
    ...run,
    history: run.history.filter((_, i) => i % stride === 0 || i === run.history.length - 1),
  }));
  return averageCurves(thinned, of, bounds).map((point) => ({ ...point }));
}

const epoch = { field: 'epoch', title: 'epoch' };

/** Validation accuracy by epoch. */
export const accuracyFigure: AtlasFigure = {
  id: 'accuracy',
  group: 'Training',
  title: 'Validation accuracy',
  caption:
    'Validation accuracy by epoch, means over seeds with 95 % t intervals. Chance is 1 / p of a task modulo p.',
  data: (runs) => listCurves(runs, (row) => 100 * row.validation.accuracy, [0, 100]),
  draw: (_, labels) =>
    lines({ x: epoch, y: { field: 'value', title: 'validation accuracy (%)' }, labels }),
};

/** Validation loss by epoch. */
export const lossFigure: AtlasFigure = {
  id: 'loss',
  group: 'Training',
  title: 'Validation loss',
  caption:
    'Cross-entropy on validation rows by epoch (nats, log scale), means over seeds with 95 % t intervals. Chance is log p of a task modulo p.',
  data: (runs) =>
    listCurves(runs, (row) => Math.max(row.validation.loss, LEAST), [
      LEAST,
      Number.POSITIVE_INFINITY,
    ]),
  draw: (_, labels) =>
    lines({
      ...{ x: epoch, y: { field: 'value', title: 'validation loss (nats)' }, labels },
      yScale: { type: 'log' },
    }),
};
