/** Optimizers in the style of optax: small transformations, chained. */
import {
  type Component,
  defineOptimizer,
  definePlugin,
  integer,
  number,
  type Plugin,
  schema,
} from '@grok/core';
import { linearWarmup } from '@grok/core/internal';
import { addDecayedWeights, chain, scaleByAdam, scaleByLearningRate } from './transform.js';

export { constant, cosine, linear, linearWarmup, warmupCosine } from '@grok/core/internal';
export * from './transform.js';

/** Options of `adamw`. */
export interface AdamWOptions {
  /** Peak learning rate ≥ 0, default 1e-3. */
  readonly learningRate?: number;
  /** Decay of the first moment in [0, 1), default 0.9. */
  readonly b1?: number;
  /** Decay of the second moment in [0, 1), default 0.98. */
  readonly b2?: number;
  /** Added to √v̂; must be > 0, default 1e-8. */
  readonly eps?: number;
  /** Decoupled weight decay ≥ 0 of every parameter, times the current learning rate; default 1. */
  readonly weightDecay?: number;
  /** Steps of linear warm-up from exactly 0, default 0. */
  readonly warmup?: number;
}

/** `p ← p − lr·(m̂/(√v̂ + eps) + weightDecay·p)` for every parameter (Loshchilov and Hutter 2019, algorithm 2). */
export const adamw: Component<'optimizer', AdamWOptions> = defineOptimizer({
  name: 'adamw',
  summary: 'Adam with decoupled weight decay on every parameter and linear warm-up.',
  options: schema({
    learningRate: number().nonnegative().default(1e-3).describe('peak learning rate'),
    b1: number().nonnegative().lt(1).default(0.9).describe('decay rate of the first moment'),
    b2: number().nonnegative().lt(1).default(0.98).describe('decay rate of the second moment'),
    eps: number().positive().default(1e-8).describe('added to the root of the second moment'),
    weightDecay: number()
      .nonnegative()
      .default(1)
      .describe('decoupled weight decay, times the learning rate'),
    warmup: integer().nonnegative().default(0).describe('steps of linear warm-up from 0'),
  }),
  create: ({ learningRate, b1, b2, eps, weightDecay, warmup }) =>
    chain(
      scaleByAdam({ b1, b2, eps }),
      addDecayedWeights(weightDecay),
      scaleByLearningRate(warmup === 0 ? learningRate : linearWarmup(learningRate, warmup)),
    ),
});

/** Optimizers, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/optim',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [adamw],
});
export default plugin;
