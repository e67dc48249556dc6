/** Errors thrown by a plugin's code during a run name the plugin, with their cause. */
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import {
  type ComponentDefinition,
  createRegistry,
  InputError,
  type Kind,
  type Model,
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

/** Trains with a plugin's component `odd` and returns the error of the run. */
async function findFailure(
  kind: Kind,
  create: (options: never, host: { tf: typeof tf }) => unknown,
  changes: object,
  backend = 'wasm',
): Promise<Error> {
  const odd = { kind, name: 'odd', summary: 'Odd.', options: { type: 'object' }, create };
  const registry = createRegistry([data, modelPlugin, optim, wasm, onnx]);
  registry.add({
    ...{ name: 'grok-odd', version: '1.2.3', core: '>=0.1.0 <1' },
    components: [odd as ComponentDefinition],
  });
  const spec = { experiment: { ...experiment, ...changes }, execution: { backend } };
  return startRun(spec, { registry, store: memoryStore() }).then(
    () => new Error('nothing was thrown'),
    (error) => error,
  );
}
const inObjective = (term: object, as?: string, backend?: string): Promise<Error> => {
  const objective = [{ use: 'hard' }, { use: 'odd', ...(as === undefined ? {} : { as }) }];
  const create = () => () => ({ needs: { student: ['logits'] }, ...term });
  return findFailure('strategy', create, { objective }, backend);
};
const zero = {
  loss: ({ student }: { student(site: string): tf.Tensor }) => ({
    odd: tf.mul(tf.sum(student('logits')), 0),
  }),
};

// Catches: `the run failed: boom`, without the plugin's name.
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
  it('is named together with its strategy if it has its own name', async () => {
    const error = await inObjective({ loss: fail }, 'mine');
    expect(error.message).toBe('strategy "odd" (term "mine"): boom');
  });
  it('may throw a readable error itself', async () => {
    const loss = (): never => {
      throw new InputError('give me other logits');
    };
    expect((await inObjective({ loss })).message).toBe('give me other logits');
  });
  it('that needs a missing kernel is named', async () => {
    const error = await findFailure(
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
      /strategy "odd": backend "wasm" has no kernel \w+, needed by tf\.\w+/,
    );
  });
  it.each([
    ['4 values for [5]', new Float32Array(4), [5], 'float32'],
    ['another type', new Int32Array(5), [5], 'int32'],
    ['an array of another type than it says', new Int32Array(5), [5], 'float32'],
  ])(
    'whose auxiliary parameter has %s is refused (catches: training on its neighbors)',
    async (_, values, shape, dtype) => {
      const auxiliaryParams = () => ({ w: { shape, dtype, data: values } });
      const { message } = await inObjective({ ...zero, auxiliaryParams }, 'mine');
      expect(message).toMatch(
        /^strategy "odd" \(term "mine"\): auxiliary parameter "w": must be float32 and match its shape, got \d in a \w+ for \w+ \[5\]/,
      );
    },
  );
});

describe('an optimizer', () => {
  const odd = (change: Partial<Optimizer>) =>
    findFailure('optimizer', () => ({ ...adamw(), ...change }), { optimizer: { use: 'odd' } });
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
    const error = await findFailure('model', create, { model: { use: 'odd' } });
    expect(error.message).toBe('model "odd": boom');
  });
});

describe.each(['onnx', 'wasm'])('values that differ between calls, on %s', (backend) => {
  let count = 0;
  const drawn: Readonly<Record<string, () => number>> = {
    'Math.random': Math.random,
    'crypto.getRandomValues': () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    'performance.now': () => performance.now(),
    'a counter': () => ++count,
  };
  const scaledBy = (draw: () => number) => ({
    loss: ({ student }: { student(site: string): tf.Tensor }) => ({
      odd: tf.mul(tf.mean(tf.square(student('logits'))), draw()),
    }),
  });
  // Catches: one number frozen in a compiled step, and different bits in each run.
  it.each(Object.entries(drawn))('are refused in a loss: %s', async (_, draw) => {
    expect((await inObjective(scaledBy(draw), undefined, backend)).message).toMatch(
      /^strategy "odd": must call the same tfjs operations every time, got the constant \S+ and then the constant \S+; a step is compiled once/,
    );
  });
  it('are refused in a loss: a missing operation, a mask of random entries', async () => {
    const some = () => (count++ % 2 === 0 ? tf.abs(tf.scalar(1)) : tf.scalar(1));
    const loss = () => ({ odd: some() });
    expect((await inObjective({ loss }, undefined, backend)).message).toMatch(
      /got \d+ operations and then \d+;/,
    );
    const mask = ({ student }: { student(site: string): tf.Tensor }) => ({
      odd: tf.mean(tf.dropout(student('logits'), 0.5)),
    });
    expect((await inObjective({ loss: mask }, undefined, backend)).message).toMatch(
      /^strategy "odd": must call the same tfjs operations every time/,
    );
  });
  it.each(['randomInputs', 'auxiliaryParams'])('are refused in %s', async (member) => {
    const draw = () => ({
      w: { shape: [1], dtype: 'float32', data: Float32Array.of(Math.random()) },
    });
    expect((await inObjective({ ...zero, [member]: draw }, undefined, backend)).message).toBe(
      `strategy "odd": ${member} must draw the same at every call, got another "w"; use the rng argument, not Math.random`,
    );
  });
  it('are refused in an optimizer', async () => {
    const whole = adamw();
    const noisy: Optimizer = {
      ...whole,
      update(...given) {
        const { updates, state } = whole.update(...given);
        const flat = tf.add(updates.flat ?? 0, Math.random());
        return { updates: { flat }, state };
      },
    };
    const changes = { optimizer: { use: 'odd' } };
    expect((await findFailure('optimizer', () => noisy, changes, backend)).message).toMatch(
      /^optimizer "odd": must call the same tfjs operations every time/,
    );
  });
  it('are refused in a model', async () => {
    const factory = transformer({ dim: 8, depth: 1, heads: 1 });
    const noisy = (task: Parameters<typeof factory>[0]): Model => {
      const model = factory(task);
      const apply: Model['apply'] = (...given) => {
        const { logits, ...rest } = model.apply(...given);
        return { ...rest, ...(logits && { logits: tf.mul(logits, 1 + Math.random()) }) };
      };
      return { ...model, apply };
    };
    const changes = { model: { use: 'odd' } };
    expect((await findFailure('model', () => noisy, changes, backend)).message).toMatch(
      /^model "odd": must call the same tfjs operations every time/,
    );
    const init: Model['init'] = () => ({
      w: { shape: [1], dtype: 'float32', data: Float32Array.of(Math.random()) },
    });
    const restless = (task: Parameters<typeof factory>[0]) => ({ ...factory(task), init });
    expect((await findFailure('model', () => restless, changes, backend)).message).toMatch(
      /^model "odd": init must draw the same at every call, got another "w"/,
    );
  });
});

describe.each(['onnx', 'wasm'])('an operation without a gradient, on %s', (backend) => {
  type Site = { student(site: string): tf.Tensor };
  const signs = ({ student }: Site) => ({
    all: tf.mean(tf.cast(tf.greater(student('logits'), 0), 'float32')),
  });
  it('names the strategy that uses it', async () => {
    // Catches: `Cannot compute gradient`, without the name of a term.
    const { message } = await inObjective({ loss: signs }, 'mine', backend);
    expect(message).toMatch(
      /^strategy "odd" \(term "mine"\): the operation Greater has no gradient; use other operations/,
    );
  });
  it('names the model that uses it', async () => {
    const factory = transformer({ dim: 8, depth: 1, heads: 1 });
    const stepped = (task: Parameters<typeof factory>[0]): Model => {
      const model = factory(task);
      const apply: Model['apply'] = (...given) => {
        const { logits, ...rest } = model.apply(...given);
        return {
          ...rest,
          ...(logits && { logits: tf.cast(tf.greater(logits, 0), 'float32') }),
        };
      };
      return { ...model, apply };
    };
    const changes = { model: { use: 'odd' } };
    expect((await findFailure('model', () => stepped, changes, backend)).message).toMatch(
      /^the model: the operation Greater has no gradient/,
    );
  });
});

describe('a loss that is not finite', () => {
  const root = ({ student }: { student(site: string): tf.Tensor }) => ({
    root: tf.mean(tf.sqrt(tf.sub(student('logits'), 100))),
  });
  it('names the terms that are not finite', async () => {
    // Catches: `the loss is NaN`, which leaves the user to search all terms.
    expect((await inObjective({ loss: root }, 'mine')).message).toBe(
      'step 0: the loss is NaN (term "mine" is NaN); earlier checkpoints are kept; try a lower learning rate',
    );
  });
  it('names all terms if each is finite', async () => {
    const objective = [{ use: 'hard', weight: 3e38 }];
    const create = () => () => ({ needs: { student: [] }, ...zero });
    expect((await findFailure('strategy', create, { objective })).message).toMatch(
      /^step 0: the loss is Infinity \(term "hard" is \d/,
    );
  });
});

describe('a term whose name every object inherits', () => {
  it('trains, and its metrics are numbers', async () => {
    // Catches: a sum that starts from an inherited function.
    const store = memoryStore();
    const spec = {
      experiment: { ...experiment, objective: [{ use: 'hard', as: 'constructor' }] },
      execution: { backend: 'wasm' },
    };
    const registry = createRegistry([data, modelPlugin, optim, wasm]);
    const { history } = await startRun(spec, { registry, store });
    expect(history[0]?.terms.constructor).toBeCloseTo(history[0]?.train.loss ?? 0, 10);
  });
});
