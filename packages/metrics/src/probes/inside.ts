/** Probes that look inside the model: what its sites and weights are like over some rows. */
import {
  type Component,
  defineProbe,
  flag,
  type HostArray,
  integer,
  listOf,
  type Snapshot,
  schema,
  text,
} from '@grok/core';
import { mapTree } from '@grok/core/internal';
import { attentionEntropy } from '../attention.js';
import { readOperands } from '../modular.js';
import { describeNeurons } from '../neurons.js';
import { computeEffectiveRanks } from '../rank.js';
import { atPosition, takeLabels } from '../rows.js';
import { computeWeightStatistics } from '../weights.js';
import { toJson } from './json.js';
import { crossing, every, parseWhen, type WhenOptions } from './when.js';

/** Options of probes that read sites. */
export interface SiteOptions extends WhenOptions {
  /** Names of sites. */
  readonly sites: string[];
  /** The first n validation rows, default 500. */
  readonly first?: number;
}

/** The result of `attentionEntropy` by site; runs at the end by default. */
export const attentionEntropies: Component<'probe', SiteOptions> = defineProbe({
  name: 'attention-entropy',
  summary: 'Entropy of attention patterns in nats: mean, by head and by position.',
  options: schema({
    every,
    crossing,
    sites: listOf(text()).min(1).describe('names of sites; `*` matches one part'),
    first: integer().positive().default(500).describe('number of validation rows'),
  }),
  create: (options) => ({
    needs: { sites: options.sites, rows: options.first },
    when: parseWhen('attention-entropy', options, 'end'),
    on: ({ sites }) => toJson(mapTree(sites, (value) => attentionEntropy(value))),
  }),
});

type MatrixOptions = Partial<SiteOptions> & { weights?: boolean };

/** Describes a probe of matrices: states of sites, with positions as rows, and every weight matrix if `weights` is true. */
export function defineMatrixProbe(
  { name, summary, weights }: { name: string; summary: string; weights: string },
  first: number,
  measure: (value: HostArray, options?: { centered: false }) => unknown,
): Component<'probe', MatrixOptions> {
  return defineProbe({
    ...{ name, summary },
    options: schema({
      every,
      crossing,
      sites: listOf(text()).default([]).describe('names of sites; `*` matches one part'),
      first: integer().positive().default(first).describe('number of validation rows'),
      weights: flag().default(true).describe(weights),
    }),
    create: (options) => ({
      needs: { sites: options.sites, rows: options.first },
      when: parseWhen(name, options, 'end'),
      on({ sites, params }) {
        const matrices = Object.entries(params).filter(([, { shape }]) => shape.length === 2);
        return toJson({
          sites: mapTree(sites, (value) => measure(value)),
          weights: mapTree(options.weights ? Object.fromEntries(matrices) : {}, (value) =>
            measure(value, { centered: false }),
          ),
        });
      },
    }),
  });
}

/** Effective ranks by site, with positions as rows, and of every weight matrix if `weights` is true. */
export const effectiveRanks: Component<'probe', MatrixOptions> = defineMatrixProbe(
  {
    name: 'effective-ranks',
    summary: 'Five effective ranks of hidden states, and of weight matrices.',
    weights: 'also the ranks of weight matrices',
  },
  500,
  computeEffectiveRanks,
);

/** Dead neurons, and neurons specialized in the label, a or b, at one position (default: the last). */
export const neurons: Component<'probe', SiteOptions & { position?: number }> = defineProbe({
  name: 'neurons',
  summary: 'Dead neurons, and neurons specialized in the label or in an input.',
  options: schema({
    every,
    crossing,
    sites: listOf(text()).min(1).describe('names of sites; `*` matches one part'),
    first: integer().positive().default(500).describe('number of validation rows'),
    position: integer()
      .default(-1)
      .describe('position of the neurons; negative ones count from the end'),
  }),
  create: (options) => ({
    needs: { sites: options.sites, rows: options.first },
    when: parseWhen('neurons', options, 'end'),
    on(snapshot) {
      const groupings = groupByMeaning(snapshot);
      const report = (value: HostArray) => {
        const activations = atPosition(value, options.position);
        const { count, dead, specialised } = describeNeurons(activations, { groupings });
        return { count, dead, specialised };
      };
      return toJson(mapTree(snapshot.sites, report));
    },
  }),
});

/** Weight statistics of all parameters and by layer; runs at the end by default. */
export const weightStatistics: Component<'probe', WhenOptions & { bins?: number }> = defineProbe({
  name: 'weight-statistics',
  summary: 'Norms, sparsity, kurtosis and histogram of the weights, per layer and in total.',
  options: schema({
    every,
    crossing,
    bins: integer().positive().default(50).describe('bins of the histogram'),
  }),
  create: (options) => ({
    needs: {},
    when: parseWhen('weight-statistics', options, 'end'),
    on({ params }) {
      const { all, parts } = computeWeightStatistics(params, { bins: options.bins });
      return toJson({ all, layers: parts });
    },
  }),
});

/** The rows' labels, and a and b where the task is modular. */
export function groupByMeaning({ rows, task }: Snapshot): Record<string, Int32Array> {
  const label = takeLabels(task, rows);
  if (task.modular === undefined) return { label };
  return { label, ...readOperands(task, rows) };
}
