/** Where heads look: mean attention patterns and their entropy, beside that of attention to all keys alike. */
import { attentionEntropy, meanPatterns } from '@grok/metrics';
import { sitesByKind } from '../../open.js';
import { type AtlasMeasure, firstRows } from '../measure.js';
import { cell } from '../tables.js';
import { namePosition } from './positions.js';

/** Tables `patterns` (a row for each head, query and key) and `entropies` (each head and query, nats). */
export const attentionMeasure: AtlasMeasure = {
  name: 'attention',
  async measure(subject) {
    const { patterns } = sitesByKind(subject.model.model);
    const read = await subject.readSites(patterns, firstRows(subject));
    const name = namePosition(subject.task);
    const found = patterns.map((site, block) => {
      const pattern = read(site);
      const keys = pattern.shape.at(-1) ?? 1;
      return {
        weights: meanPatterns(pattern).flatMap((weights, head) =>
          weights.map((weight, at) => ({
            ...{ block, head, query: name(Math.floor(at / keys)), key: name(at % keys) },
            weight: cell(weight),
          })),
        ),
        entropies: attentionEntropy(pattern).positions.flatMap((entropies, head) =>
          entropies.map((entropy, query) => ({
            ...{ block, head, query: name(query), entropy: cell(entropy) },
            uniform: cell(Math.log(query + 1)),
          })),
        ),
      };
    });
    return {
      patterns: found.flatMap(({ weights }) => weights),
      entropies: found.flatMap(({ entropies }) => entropies),
    };
  },
};
