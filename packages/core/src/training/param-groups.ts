/**
 * Parameter groups and frozen parameters: one optimizer per group, each over its own parameters, as
 * in torch's parameter groups and optax's `multi_transform`; frozen parameters have no optimizer.
 */
import * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import type { OptimizerUse } from '../contracts/run-types.js';
import type { Optimizer, OptimizerState, Params } from '../contracts/types.js';
import { attributeOptimizerErrors } from '../plugins/attribution.js';
import { formatSubject } from '../plugins/define.js';
import type { Registry } from '../plugins/registry.js';
import { type Layout, pack, reader, sizeOf, unpack } from '../tensors/params.js';
import { matchesPattern, matchNames } from './patterns.js';

/**
 * Creates the optimizer of an experiment. A parameter belongs to the first group whose pattern
 * matches it, and that group's options override the optimizer's own; unmatched parameters use the
 * optimizer's options, and `freeze` takes precedence over all groups. `names` returns the
 * parameters' names if patterns need them.
 * @throws InputError on an unknown name, bad options, or a pattern that matches no parameter.
 */
export function createOptimizer(
  registry: Registry,
  { use, options, groups = [] }: OptimizerUse,
  freeze: readonly string[],
  names: () => readonly string[],
): Optimizer {
  const create = (own: OptimizerUse['options']): Optimizer =>
    attributeOptimizerErrors(
      formatSubject({ kind: 'optimizer', name: use }),
      registry.create('optimizer', use, own, { tf }),
    );
  const rest = create(options);
  if (groups.length === 0 && freeze.length === 0) return rest;
  const known = names();
  const frozen = new Set(matchNames('parameter to freeze', freeze, known));
  if (frozen.size === known.length)
    throw new InputError(
      `freeze: must leave at least one parameter to train, got ${JSON.stringify(freeze)}; freeze fewer`,
    );
  for (const { match } of groups) matchNames('parameter of an optimizer group', [match], known);
  const optimizers = [...groups.map((group) => create({ ...options, ...group.options })), rest];
  const findGroup = (name: string): number | undefined => {
    if (frozen.has(name)) return undefined;
    const index = groups.findIndex(({ match }) => matchesPattern(match, name));
    return index === -1 ? groups.length : index;
  };
  return partitionOptimizer(optimizers, findGroup);
}

/** Combines several optimizers; `findGroup` returns the index of a parameter's optimizer, undefined for a frozen one. */
export function partitionOptimizer(
  optimizers: readonly Optimizer[],
  findGroup: (name: string) => number | undefined,
): Optimizer {
  const select = (params: Params, group: number): Params =>
    Object.fromEntries(Object.entries(params).filter(([name]) => findGroup(name) === group));
  /** Groups that have parameters, by the key of their state. */
  const used = (params: Params) =>
    optimizers
      .map((optimizer, i) => ({ key: String(i), index: i, optimizer, own: select(params, i) }))
      .filter(({ own }) => Object.keys(own).length > 0);
  return {
    init: (params) =>
      Object.fromEntries(
        used(params)
          .map(({ key, optimizer, own }) => [key, optimizer.init(packed(optimizer, own))] as const)
          // An empty branch would be lost, since state is stored by leaves.
          .filter(([, state]) => Object.keys(state).length > 0),
      ),
    update(grads, state, params) {
      const updates: Record<string, tf.Tensor> = {};
      const next: Record<string, OptimizerState> = {};
      for (const { key, index, optimizer, own } of used(params)) {
        const before = state[key];
        const result = optimizer.update(
          packed(optimizer, select(grads, index)),
          before === undefined || before instanceof tf.Tensor ? {} : before,
          packed(optimizer, own),
        );
        Object.assign(updates, unpacked(optimizer, result.updates, own));
        if (before !== undefined) next[key] = result.state;
      }
      return { updates, state: next };
    },
    elementwise: false,
    trains: (name) => findGroup(name) !== undefined,
  };
}

/** Parameters in the form an optimizer takes: one vector if it is elementwise. */
function packed({ elementwise }: Optimizer, params: Params): Params {
  return elementwise ? { flat: pack(params) } : params;
}

/** The inverse of `packed`; `like` provides names and shapes. */
function unpacked({ elementwise }: Optimizer, values: Params, like: Params): Params {
  if (!elementwise) return values;
  const specs = Object.entries(like).map(
    ([name, { shape }]) => [name, { shape, dtype: 'float32' as const }] as const,
  );
  const size = specs.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
  const layout: Layout = { specs: Object.fromEntries(specs), size };
  return unpack(reader('update', values)('flat'), layout);
}
