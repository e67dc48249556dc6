/** The component `transformer`: its options, and what is made of them. */
import {
  type Component,
  defineModel,
  flag,
  integer,
  number,
  oneOf,
  parseOptions,
  schema,
} from '@grok/core';
import { createTransformer } from './model.js';
import { configure, type FullOptions, type TransformerOptions } from './options.js';

const options = schema({
  dim: integer().positive().default(128),
  depth: integer().positive().max(1000).default(2),
  heads: integer().positive().default(1),
  mlp: oneOf('swiglu', 'relu', 'gelu').default('swiglu'),
  mlpRatio: number().positive().optional(),
  dMlp: integer().positive().optional(),
  norm: oneOf('rms', 'layer', 'none').default('rms'),
  positions: oneOf('rope', 'learned', 'none').default('rope'),
  causal: flag().default(true),
  pool: oneOf('cls', 'mean').default('cls'),
  dropout: number().nonnegative().lt(1).default(0),
  ropeBase: number().positive().default(1e6),
  eps: number().positive().default(1e-6),
  algebra: schema({
    vocabularyTable: flag().default(true),
    lastPosition: flag().default(true),
    sharedPrefixes: flag().default(true),
    jointOV: flag().default(true),
  }).prefault({}),
});

/** Options with their defaults. @throws InputError that names what is wrong. */
export function readOptions(given: unknown): FullOptions {
  return parseOptions('model "transformer"', options, given);
}

/**
 * A pre-norm transformer for classification; the defaults are the paper's teacher without dropout.
 * @throws InputError when sizes, task and options do not fit each other.
 */
export const transformer: Component<'model', TransformerOptions> = defineModel({
  name: 'transformer',
  summary: 'A pre-norm transformer with RMSNorm, SwiGLU and rotary positions, or other choices.',
  options,
  create: (options) => (task) => createTransformer(configure(options, task)),
});
