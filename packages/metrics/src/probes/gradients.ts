/** A probe of the gradients: norms, signal-to-noise and angles, by layer and by term of the loss. */
import { type Component, defineProbe, flag, integer, schema } from '@grok/core';
import { averageGradients, gradientCosines, summarizeGradients } from '../gradients.js';
import { toJson } from './json.js';
import { crossing, every, parseWhen, type WhenOptions } from './when.js';

/** Options of the probe `gradients`. */
export interface GradientOptions extends WhenOptions {
  /** Number of equal batches of the training rows, default 4. */
  readonly batches?: number;
  /** Also measure each loss term and the weighted total; default false. */
  readonly byTerm?: boolean;
}

/**
 * `summarizeGradients` of the hard loss over batches of training rows; with `byTerm` also of `terms` (each unweighted
 * term, and `total`), and their `cosines` from `gradientCosines`.
 */
export const gradients: Component<'probe', GradientOptions> = defineProbe({
  name: 'gradients',
  summary: 'Norm, signal-to-noise and cosines of gradients, by layer and by term of the loss.',
  options: schema({
    every,
    crossing,
    batches: integer().min(2).default(4).describe('number of batches to compare'),
    byTerm: flag().default(false).describe('also the gradients of each loss term'),
  }),
  create: (options) => ({
    needs: { rows: 'train', gradients: { batches: options.batches, byTerm: options.byTerm } },
    when: parseWhen('gradients', options, 'end'),
    on({ gradients: { hardLoss, total = [], terms = {} } = { hardLoss: [] } }) {
      const own = summarizeGradients(hardLoss);
      if (!options.byTerm) return toJson(own);
      const all = { total, ...terms };
      const means = Object.entries(all).map(([name, each]) => [name, averageGradients(each)]);
      return toJson({
        ...own,
        terms: Object.fromEntries(
          Object.entries(all).map(([name, each]) => [name, summarizeGradients(each)]),
        ),
        cosines: gradientCosines(Object.fromEntries(means)),
      });
    },
  }),
});
