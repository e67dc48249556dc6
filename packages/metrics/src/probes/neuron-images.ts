/** A probe of neurons over all pairs of a modular task. */
import {
  type Component,
  defineProbe,
  type HostArray,
  integer,
  listOf,
  rng,
  schema,
  text,
} from '@grok/core';
import { mapTree } from '@grok/core/internal';
import { neuronImages as computeImages } from '../neuron-images.js';
import { takeLastPosition } from '../rows.js';
import { toJson } from './json.js';
import { crossing, every, parseWhen, type WhenOptions } from './when.js';

/** `neuronImages` of the `most` (12) neurons of each block that vary most, at the last position; at the end unless told otherwise. */
export const neuronImagesProbe: Component<
  'probe',
  WhenOptions & { sites?: string[]; most?: number }
> = defineProbe({
  name: 'neuron-images',
  summary: 'Activation of single neurons over all pairs (a, b), and their spectra.',
  options: schema({
    every,
    crossing,
    sites: listOf(text())
      .min(1)
      .default(['blocks.*.mlp.hook_post'])
      .describe('names of sites; `*` matches one part'),
    most: integer().positive().default(12).describe('maximum number of neurons'),
  }),
  create: ({ most, ...options }) => ({
    needs: { sites: options.sites, rows: 'all' },
    when: parseWhen('neuron-images', options, 'end'),
    on: ({ sites, task }) =>
      toJson(
        mapTree(sites, (value: HostArray) =>
          computeImages(task, takeLastPosition(value), {
            rng: rng(0).split('neuron-images'),
            most,
          }),
        ),
      ),
  }),
});
