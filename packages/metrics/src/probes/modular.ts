/** A probe of the whole function: its frequencies over all pairs of a modular task. */
import { type Component, defineProbe, flag, InputError, schema } from '@grok/core';
import { embeddingSpectrum, gridPowers } from '../fourier.js';
import { explainedNeurons, keyFrequencies, neuronFrequencies } from '../frequencies.js';
import { cyclicGroup, layOutGrid, locateCells } from '../modular.js';
import { progressLosses } from '../progress.js';
import { takeLastPosition } from '../rows.js';
import { toJson } from './json.js';
import { crossing, every, parseWhen, type WhenOptions } from './when.js';

/**
 * Key frequencies of the logits, the spectrum of the embedding, losses with and without the key frequencies,
 * and, with `neurons` (the slowest part), how many neurons of each block one frequency explains at the last
 * position; runs at the end by default.
 * @throws InputError if the task is not `add`, `sub`, `mul` or `div`.
 */
export const fourier: Component<'probe', WhenOptions & { neurons?: boolean }> = defineProbe({
  name: 'fourier',
  summary: 'Key frequencies, neurons that one frequency explains, restricted and excluded loss.',
  options: schema({
    every,
    crossing,
    neurons: flag().default(false).describe('also the frequencies of neurons'),
  }),
  create: (options) => ({
    needs: {
      sites: ['logits', ...(options.neurons ? ['blocks.*.mlp.hook_post'] : [])],
      rows: 'all',
    },
    when: parseWhen('fourier', options, 'end'),
    on({ sites, params, rows, task }) {
      const group = cyclicGroup(task);
      const { logits, ...blocks } = sites;
      if (logits === undefined)
        throw new InputError(
          'probe "fourier": needs the site "logits", and the model does not have it',
        );
      const grid = layOutGrid(group, task, rows, logits);
      const keys = keyFrequencies(gridPowers(grid));
      const embedding = params['embed.W_E'];
      const neurons = Object.entries(blocks).map(([site, value]) => {
        const powers = gridPowers(layOutGrid(group, task, rows, takeLastPosition(value)));
        const found = neuronFrequencies(powers, group.order);
        const counts = new Map<number, number>();
        for (const { frequency } of found) counts.set(frequency, (counts.get(frequency) ?? 0) + 1);
        const by = [...counts].toSorted((a, b) => b[1] - a[1]);
        return [
          site,
          { count: found.length, explained: explainedNeurons(found), byFrequency: by },
        ] as const;
      });
      const frequencies = keys.map(({ frequency }) => frequency);
      return toJson({
        order: group.order,
        generator: group.generator,
        keys,
        embedding: embedding === undefined ? null : embeddingSpectrum(embedding, group),
        losses: progressLosses(grid, group, frequencies, locateCells(group, task, rows)),
        neurons: Object.fromEntries(neurons),
      });
    },
  }),
});
