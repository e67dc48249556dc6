/** `my-optimizer`: state where the method comes from (paper, algorithm). */
import type { ComponentDefinition, Optimizer, Params, Plugin } from '@grok/core';
import type * as tf from '@grok/tfjs';

/** Options of `my-optimizer`, defaults filled in. */
export interface Options {
  /** Step per unit of momentum, ≥ 0. */
  readonly learningRate: number;
  /** Share of the last momentum that is kept, in [0, 1). */
  readonly momentum: number;
}

/** `m ← momentum·m + g`, `p ← p − learningRate·m`; the state is shaped like the parameters. */
export const myOptimizer: ComponentDefinition<'optimizer', Options> = {
  kind: 'optimizer',
  name: 'my-optimizer',
  summary: 'Gradient descent with momentum.',
  options: {
    type: 'object',
    properties: {
      learningRate: { type: 'number', minimum: 0, default: 0.01 },
      momentum: { type: 'number', minimum: 0, exclusiveMaximum: 1, default: 0.9 },
    },
    additionalProperties: false,
  },
  create({ learningRate, momentum }, { tf }): Optimizer {
    const each = (from: Params, f: (value: tf.Tensor, name: string) => tf.Tensor): Params =>
      Object.fromEntries(Object.entries(from).map(([name, value]) => [name, f(value, name)]));
    return {
      elementwise: true, // every entry is treated alike, so core may pass one flat vector
      init: (params) => ({ momentum: each(params, (p) => tf.zerosLike(p)) }),
      update(grads, state) {
        const last = state.momentum as Params;
        const next = each(grads, (g, name) => tf.add(tf.mul(last[name]!, momentum), g));
        return {
          updates: each(next, (m) => tf.mul(m, -learningRate)),
          state: { momentum: next },
        };
      },
    };
  },
};

/** The plugin with all components of this package. */
const plugin: Plugin = {
  name: 'grok-my-optimizer',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [myOptimizer],
};
export default plugin;
