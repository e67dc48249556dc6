/** What changes during training: ranks of states, entropy of attention, statistics and histograms of weights. */
import { createSiteReader, reader, takeRows } from '@grok/core/internal';
import { attentionEntropy, computeEffectiveRanks, computeWeightStatistics } from '@grok/metrics';
import { sitesByKind } from '../../open.js';
import { type AtlasMeasure, firstRows, type SavedState } from '../measure.js';
import { cell, packValues, type TableRow } from '../tables.js';

const BINS = 40;

/** Tables `ranks`, `entropies`, `weights`: a row for each state and hidden state, head or layer. */
export const trainingMeasure: AtlasMeasure = {
  name: 'training',
  readsStates: true,
  async measure(subject) {
    const { model, task } = subject;
    const { states, patterns } = sitesByKind(model.model);
    const inputs = takeRows(task.inputs, firstRows(subject, 128));
    const sites = createSiteReader(model.backend, model.model, [...states, ...patterns]);
    const tables = {
      ranks: [] as TableRow[],
      entropies: [] as TableRow[],
      weights: [] as TableRow[],
    };
    try {
      for (const step of subject.steps) {
        const { params } = await subject.readState(step);
        const read = reader('site', await sites.read(params, inputs));
        for (const site of states) {
          const { royVetterli, participation } = computeEffectiveRanks(read(site));
          tables.ranks.push({
            step,
            site,
            rank: cell(royVetterli),
            participation: cell(participation),
          });
        }
        for (const [block, site] of patterns.entries())
          for (const [head, value] of attentionEntropy(read(site)).heads.entries())
            tables.entropies.push({ step, block, head, entropy: cell(value) });
        tables.weights.push(...describeWeights({ step, params }));
      }
    } finally {
      sites.dispose();
    }
    return tables;
  },
};

function describeWeights({ step, params }: SavedState): readonly TableRow[] {
  const { parts } = computeWeightStatistics(params, { bins: BINS });
  return Object.entries(parts).map(
    ([layer, { l2, std, sparsity, kurtosis, histogram, count }]) => ({
      ...{ step, layer, count },
      ...{ l2: cell(l2), std: cell(std), sparsity: cell(sparsity), kurtosis: cell(kurtosis) },
      ...{ from: cell(histogram.low), to: cell(histogram.high) },
      ...packValues(
        'shares',
        histogram.counts.map((n) => n / count),
      ),
    }),
  );
}
