/** Probes of representations: layouts in the plane, and spectra of singular values. */
import {
  type Component,
  defineProbe,
  type HostArray,
  integer,
  listOf,
  oneOf,
  rng,
  schema,
  text,
} from '@grok/core';
import type { Matrix } from 'ml-matrix';
import { trustworthiness } from '../layout.js';
import { computePca } from '../pca.js';
import { atPosition, takeLabels, toMatrix } from '../rows.js';
import { singularSpectrum } from '../spectrum.js';
import { computeTsne } from '../tsne.js';
import { computeUmap } from '../umap.js';
import { defineMatrixProbe, type effectiveRanks, type SiteOptions } from './inside.js';
import { toJson } from './json.js';
import { crossing, every, parseWhen } from './when.js';

type Method = 'pca' | 'tsne' | 'umap';

/**
 * By site the points of each row in the plane, and their trustworthiness; `rows` and `labels` say which rows and what
 * answers; at the end unless told otherwise.
 */
export const layouts: Component<'probe', SiteOptions & { method?: Method; position?: number }> =
  defineProbe({
    name: 'layouts',
    summary: 'Hidden states laid out in the plane by PCA, t-SNE or UMAP, with their answers.',
    options: schema({
      every,
      crossing,
      sites: listOf(text()).min(1).describe('names of sites; `*` matches one part'),
      first: integer().positive().max(1000).default(300).describe('number of validation rows'),
      method: oneOf('pca', 'tsne', 'umap').default('pca').describe('method of the layout'),
      position: integer().default(-1).describe('position; negative ones count from the end'),
    }),
    create: (options) => ({
      needs: { sites: options.sites, rows: options.first },
      when: parseWhen('layouts', options, 'end'),
      async on({ sites, rows, task }) {
        const found: [string, unknown][] = [];
        for (const [site, value] of Object.entries(sites)) {
          const x = takePosition(value, options.position);
          const points = await layOut(x, options.method);
          found.push([site, { points, trustworthiness: trustworthiness(x, points) }]);
        }
        const labels = [...takeLabels(task, rows)];
        return toJson({ rows: [...rows], labels, sites: Object.fromEntries(found) });
      },
    }),
  });

function takePosition(value: HostArray, position: number): Matrix {
  return value.shape.length === 3 ? atPosition(value, position) : toMatrix(value);
}

async function layOut(x: Matrix, method: Method): Promise<readonly (readonly number[])[]> {
  if (method === 'pca') return computePca(x, 2).scores;
  if (method === 'tsne') return computeTsne(x).points;
  return (await computeUmap(x, { rng: rng(0).split('layouts') })).points;
}

/** `singularSpectrum` by site, positions as rows, and of every weight matrix when `weights` is true. */
export const singularSpectra: typeof effectiveRanks = defineMatrixProbe(
  {
    name: 'singular-spectra',
    summary: 'Singular values of hidden states and of weight matrices, beside those of chance.',
    weights: 'also the spectra of weight matrices',
  },
  300,
  (value, options) =>
    singularSpectrum(value, {
      ...{ rng: rng(0).split('singular-spectra'), permutations: 19 },
      ...options,
    }),
);
