/** The plain probes: what a run's own numbers say, before anybody looks inside the model. */
import { type Component, defineProbe, InputError, oneOf, schema } from '@grok/core';
import { allEpochsTo, bestOfLast } from '../curves.js';
import { l1, l2, parameterCount } from '../norms.js';
import { takeLabels } from '../rows.js';
import { scoreLogits } from '../score.js';
import { toJson } from './json.js';
import {
  chooseRows,
  crossing,
  every,
  first,
  parseWhen,
  type RowsOptions,
  type WhenOptions,
} from './when.js';

/** `{ l1, l2, l1OverL2SqrtN }` of the model's parameters; runs every 10 epochs by default. */
export const weightNorms: Component<'probe', WhenOptions> = defineProbe({
  name: 'weight-norms',
  summary: "L1 and L2 norm of the model's parameters, and L1/(L2·√N).",
  options: schema({ every, crossing }),
  create: (options) => ({
    needs: {},
    when: parseWhen('weight-norms', options, { every: 10 }),
    on({ params }) {
      // Each sum once: this probe runs often.
      const [sum, norm] = [l1(params), l2(params)];
      const l1OverL2SqrtN = sum / (norm * Math.sqrt(parameterCount(params)));
      return toJson({ l1: sum, l2: norm, l1OverL2SqrtN });
    },
  }),
});

/**
 * `{ first, sustained, bestOfLast10 }` at the end: epochs to each threshold of validation accuracy (null if
 * never), first and for 5 consecutive epochs.
 */
export const crossings: Component<'probe'> = defineProbe({
  name: 'crossings',
  summary:
    'Epochs to .5, .9, .95, .99 and .999 of validation accuracy, and the best of the last 10.',
  options: schema({}),
  create: () => ({
    needs: {},
    when: 'end',
    on: ({ history }) => ({
      first: allEpochsTo(history),
      sustained: allEpochsTo(history, { sustained: 5 }),
      bestOfLast10: bestOfLast(history),
    }),
  }),
});

/** Peak memory of the process so far in bytes, null if unknown; runs at the end by default. */
export const peakMemory: Component<'probe', WhenOptions> = defineProbe({
  name: 'peak-memory',
  summary: 'Largest resident memory of the process so far, in bytes.',
  options: schema({ every, crossing }),
  create: (options) => ({
    needs: {},
    when: parseWhen('peak-memory', options, 'end'),
    on: ({ peakMemoryBytes }) => peakMemoryBytes ?? null,
  }),
});

/** `{ loss, accuracy }` (nats, 0–1) over a set of rows, without dropout; runs at the end by default. */
export const score: Component<'probe', WhenOptions & RowsOptions> = defineProbe({
  name: 'score',
  summary: 'Loss and accuracy without dropout, on training or validation rows.',
  options: schema({
    every,
    crossing,
    first,
    rows: oneOf('train', 'validation').default('validation').describe('which rows to evaluate'),
  }),
  create: (options) => ({
    needs: { sites: ['logits'], rows: chooseRows('score', options) },
    when: parseWhen('score', options, 'end'),
    on({ sites, rows, task }) {
      const { logits } = sites;
      if (logits === undefined)
        throw new InputError(
          'probe "score": needs the site "logits", and the model does not have it',
        );
      return toJson(scoreLogits(logits, takeLabels(task, rows)));
    },
  }),
});
