/** A small transformer with named activation sites. */
import {
  type Component,
  defineModel,
  definePlugin,
  flag,
  integer,
  number,
  oneOf,
  type Plugin,
  schema,
} from '@grok/core';
import { createTransformer } from './model.js';
import { configure, type TransformerOptions } from './options.js';

export type { Algebra, TransformerOptions } from './options.js';
export { type Scale, scaleOptions } from './scale.js';

/**
 * A pre-norm transformer for classification; the defaults are the paper's teacher without dropout.
 * @throws InputError when sizes, task and options do not fit each other.
 */
export const transformer: Component<'model', TransformerOptions> = defineModel({
  name: 'transformer',
  summary: 'A pre-norm transformer with RMSNorm, SwiGLU and rotary positions, or other choices.',
  options: schema({
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
  }),
  create: (options) => (task) => createTransformer(configure(options, task)),
});

/** Models, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/model',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [transformer],
});
export default plugin;
