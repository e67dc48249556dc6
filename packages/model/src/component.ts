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
  dim: integer().positive().default(128).describe('width of the residual stream'),
  depth: integer().positive().max(1000).default(2).describe('number of blocks'),
  heads: integer().positive().default(1).describe('attention heads per block; must divide `dim`'),
  mlp: oneOf('swiglu', 'relu', 'gelu').default('swiglu').describe('activation of the MLP'),
  mlpRatio: number().positive().optional().describe('width of the MLP over `dim` (default 4)'),
  dMlp: integer().positive().optional().describe('width of the MLP, instead of `mlpRatio`'),
  norm: oneOf('rms', 'layer', 'none').default('rms').describe('RMSNorm, LayerNorm or none'),
  positions: oneOf('rope', 'learned', 'none').default('rope').describe('position embedding'),
  causal: flag().default(true).describe('whether attention is causal'),
  pool: oneOf('cls', 'mean')
    .default('cls')
    .describe('read the last position (`cls`) or the mean of all'),
  dropout: number()
    .nonnegative()
    .lt(1)
    .default(0)
    .describe('dropout rate after attention and inside the MLP'),
  ropeBase: number().positive().default(1e6).describe('base of the rotary angles'),
  eps: number().positive().default(1e-6).describe('added to the variance in norms'),
  algebra: schema({
    vocabularyTable: flag().default(true),
    lastPosition: flag().default(true),
    sharedPrefixes: flag().default(true),
    jointOV: flag().default(true),
  })
    .prefault({})
    .describe('exact shortcuts; `false` turns one off'),
});

/** Options with their defaults. @throws InputError that names what is wrong. */
export function readOptions(given: unknown): FullOptions {
  return parseOptions('model "transformer"', options, given);
}

/**
 * A pre-norm transformer for classification; the defaults are the paper's teacher without dropout.
 * @throws InputError if sizes, task and options do not fit.
 */
export const transformer: Component<'model', TransformerOptions> = defineModel({
  name: 'transformer',
  summary: 'A pre-norm transformer with RMSNorm, SwiGLU and rotary positions, or other choices.',
  options,
  create: (options) => (task) => createTransformer(configure(options, task)),
});
