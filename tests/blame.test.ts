/** What a plugin's own code throws in the midst of a run is told by the plugin's name, with its cause. */
import wasm from '@grok/backend-wasm';
import {
  type ComponentDefinition,
  createRegistry,
  InputError,
  type Kind,
  memoryStore,
  type Optimizer,
  startRun,
} from '@grok/core';
import data from '@grok/data';
import modelPlugin, { transformer } from '@grok/model';
import optim, { adamw } from '@grok/optim';
import * as tf from '@grok/tfjs';
import { describe, expect, it } from 'vitest';

const experiment = {
  task: { use: 'add', options: { p: 7 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1, heads: 1 } },
  optimizer: { use: 'adamw' },
  ...{ batch: 24, epochs: 1, seed: 1 },
};
const boom = new TypeError('boom');
const fail = (): never => {
  throw boom;
};

/** Trains with a component `odd` of a plugin; gives what the run threw. */
async function failureOf(
  kind: Kind,
  create: (options: never, host: { tf: typeof tf }) => unknown,
  changes: object,
): Promise<Error> {
  const odd = { kind, name: 'odd', summary: 'Odd.', options: { type: 'object' }, create };
  const registry = createRegistry([data, modelPlugin, optim, wasm]);
  registry.add({
    ...{ name: 'grok-odd', version: '1.2.3', core: '>=0.1.0 <1' },
    components: [odd as ComponentDefinition],
  });
  const spec = { experiment: { ...experiment, ...changes }, execution: { backend: 'wasm' } };
  return startRun(spec, { registry, store: memoryStore() }).then(
    () => new Error('nothing was thrown'),
    (error) => error,
  );
}
const inObjective = (term: object, as?: string): Promise<Error> =>
  failureOf('strategy', () => () => ({ needs: { student: ['logits'] }, ...term }), {
    objective: [{ use: 'hard' }, { use: 'odd', ...(as === undefined ? {} : { as }) }],
  });
const zero = {
  loss: ({ student }: { student(site: string): tf.Tensor }) => ({
    odd: tf.mul(tf.sum(student('logits')), 0),
  }),
};

// Catches: `the run failed: boom`, and no way to know whose.
describe('a term', () => {
  it.each([
    ['loss', { loss: fail }],
    ['auxiliaryParams', { ...zero, auxiliaryParams: fail }],
    ['randomInputs', { ...zero, randomInputs: fail }],
  ])('whose %s throws is named', async (_, term) => {
    const error = await inObjective(term);
    expect(error.message).toBe('strategy "odd": boom');
    expect(error.cause).toBe(boom);
  });
  it('is named beside its strategy where it has a name of its own', async () => {
    const error = await inObjective({ loss: fail }, 'mine');
    expect(error.message).toBe('strategy "odd" (term "mine"): boom');
  });
  it('may say itself what is wrong', async () => {
    const loss = (): never => {
      throw new InputError('give me other logits');
    };
    expect((await inObjective({ loss })).message).toBe('give me other logits');
  });
  it('that asks for a kernel that is missing is named too', async () => {
    const error = await failureOf(
      'strategy',
      (_, { tf: on }) =>
        () => ({
          needs: { student: ['logits'] },
          loss: ({ student }: { student(site: string): tf.Tensor }) => ({
            odd: on.sum(on.linalg.bandPart(on.spectral.rfft(student('logits')), 0, 0)),
          }),
        }),
      { objective: [{ use: 'odd' }] },
    );
    expect(error.message).toMatch(
      /strategy "odd": backend "wasm" has no kernel \w+, which tf\.\w+ asked for/,
    );
  });
  it.each([
    ['4 values for [5]', new Float32Array(4), [5], 'float32'],
    ['another type', new Int32Array(5), [5], 'int32'],
    ['an array of another type than it says', new Int32Array(5), [5], 'float32'],
  ])(
    'whose auxiliary parameter has %s is refused (it would train on its neighbours)',
    async (_, values, shape, dtype) => {
      const auxiliaryParams = () => ({ w: { shape, dtype, data: values } });
      const { message } = await inObjective({ ...zero, auxiliaryParams }, 'mine');
      expect(message).toMatch(
        /^strategy "odd" \(term "mine"\): auxiliary parameter "w": must be float32 values that fill its shape, got \d in a \w+ for \w+ \[5\]/,
      );
    },
  );
});

describe('an optimizer', () => {
  const odd = (change: Partial<Optimizer>) =>
    failureOf('optimizer', () => ({ ...adamw(), ...change }), { optimizer: { use: 'odd' } });
  it.each([
    ['update', { update: fail }],
    ['init', { init: fail }],
  ])('whose %s throws is named', async (_, change) => {
    expect((await odd(change)).message).toBe('optimizer "odd": boom');
  });
});

describe('a model', () => {
  it.each([
    ['apply', { apply: fail }],
    ['init', { init: fail }],
  ])('whose %s throws is named', async (_, change) => {
    const factory = transformer({ dim: 8, depth: 1, heads: 1 });
    const create = () => (task: Parameters<typeof factory>[0]) => ({ ...factory(task), ...change });
    const error = await failureOf('model', create, { model: { use: 'odd' } });
    expect(error.message).toBe('model "odd": boom');
  });
});
