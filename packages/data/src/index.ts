/** Tasks and splits: arithmetic modulo p, and NumPy's split for a seed. */
import {
  type Component,
  definePlugin,
  defineSplit,
  defineTask,
  InputError,
  integer,
  listOf,
  number,
  oneOf,
  type Plugin,
  schema,
} from '@grok/core';
import { modularTask, type Operation, type Place, REFERENCE_FORMAT } from './modular.js';
import { numpyPermutation } from './numpy.js';

export { modularTask, type Operation, type Place, REFERENCE_FORMAT } from './modular.js';
export { mt19937, numpyPermutation } from './numpy.js';

/** Options of the modular tasks. */
export interface ModularOptions {
  /** The modulus, an integer ≥ 2, default 97; prime for `div`. */
  readonly p?: number;
  /** Tokens of a row in order, at least `a` and `b`; default `["a", "op", "b", "eq"]`. */
  readonly format?: Place[];
}

const modular = (op: Operation, summary: string): Component<'task', ModularOptions> =>
  defineTask({
    name: op,
    summary,
    options: schema({
      p: integer().default(97).describe('modulus'),
      format: listOf(oneOf('a', 'b', 'op', 'eq', 'p'))
        .default([...REFERENCE_FORMAT])
        .describe('tokens of a row, in order'),
    }),
    create: ({ p, format }) => modularTask(op, p, format),
  });

/** `a + b mod p` for all a and b: p² rows. */
export const add: Component<'task', ModularOptions> = modular('add', 'Addition modulo p.');
/** `a − b mod p` for all a and b: p² rows. */
export const sub: Component<'task', ModularOptions> = modular('sub', 'Subtraction modulo p.');
/** `a · b mod p` for all a and b: p² rows. */
export const mul: Component<'task', ModularOptions> = modular('mul', 'Multiplication modulo p.');
/** `a · b⁻¹ mod p` for all a and all b ≠ 0, p prime: p·(p − 1) rows. */
export const div: Component<'task', ModularOptions> = modular('div', 'Division modulo a prime p.');

/** Options of `numpy`. */
export interface NumpyOptions {
  /** Fraction of the rows to train on, strictly between 0 and 1; default 0.5. */
  readonly trainFraction?: number;
}

/**
 * Trains on the first ⌊n·trainFraction⌋ rows of `numpy.random.RandomState(seed).permutation(n)` and validates
 * on the rest.
 */
export const numpy: Component<'split', NumpyOptions> = defineSplit({
  name: 'numpy',
  summary: 'A random split equal to the one that NumPy’s legacy RandomState gives for the seed.',
  options: schema({
    trainFraction: number().gt(0).lt(1).default(0.5).describe('share of the rows to train on'),
  }),
  create:
    ({ trainFraction }) =>
    (rows, seed) => {
      const count = Math.trunc(rows * trainFraction);
      if (count === 0)
        throw new InputError(
          `split "numpy": a trainFraction of ${trainFraction} leaves none of ${rows} rows to train on; give a larger one`,
        );
      const order = numpyPermutation(rows, seed);
      return { train: order.slice(0, count), validation: order.slice(count) };
    },
});

/** Tasks and splits, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/data',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [add, sub, mul, div, numpy],
});
export default plugin;
