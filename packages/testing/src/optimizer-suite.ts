/** The conformance suite for optimizers: pure, with stable state, descending, and equal for one vector and several parameters. */
import {
  type Backend,
  type ComponentDefinition,
  type HostArray,
  type Optimizer,
  type OptimizerState,
  type Params,
  rng,
} from '@grok/core';
import { freeTree, readTree } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32, readAndFree } from './arrays.js';
import './matchers.js';
import { type OptionsGiven, optionsSuite, subjectMaker } from './options-suite.js';
import { registeredBackend } from './registered-backend.js';
import { upload } from './run-once.js';
import { registerTests, type Tests } from './tests-by-title.js';

/** Options of `optimizerSuite`. */
export interface OptimizerSuiteOptions extends OptionsGiven {
  /**
   * Whether it must decrease a quadratic loss over 50 steps (default true); false for a single link of a chain.
   */
  readonly descends?: boolean;
  /** The backend; default: the registered tfjs backend. */
  readonly backend?: () => Backend | Promise<Backend>;
}

type Arrays = Readonly<Record<string, HostArray>>;
type Step = { params: Params; state: OptimizerState; grads: Params };

const START: Arrays = {
  'blocks.0.W': f32([3, 4], rng(1).split('W').normal(12)),
  b: f32([4], rng(1).split('b').normal(4)),
};
const GRADS: Arrays = {
  'blocks.0.W': f32([3, 4], rng(2).split('W').normal(12)),
  b: f32([4], rng(2).split('b').normal(4)),
};
const flatten = (arrays: Arrays): Arrays => ({
  flat: f32(
    [16],
    Object.values(arrays).flatMap(({ data }) => [...data]),
  ),
});
const zerosLike = (arrays: Arrays): Arrays =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, data }]) => [
      name,
      f32(
        shape,
        data.map(() => 0),
      ),
    ]),
  );

/** Registers the conformance tests of an optimizer, or of a bare one (without tests of options). */
export function optimizerSuite(
  name: string,
  subject: ComponentDefinition<'optimizer'> | Optimizer,
  {
    descends = true,
    backend: makeBackend = registeredBackend,
    ...given
  }: OptimizerSuiteOptions = {},
): void {
  const { offered, make } = subjectMaker<'optimizer'>(subject, given.options);

  describe(`optimizer ${name}`, () => {
    optionsSuite('optimizer', offered, given);
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => backend.dispose());
    registerTests(optimizerTests, () => ({ backend, make }));
    it.skipIf(!descends)('goes downhill (catches: updates of the wrong sign)', () =>
      goesDownhill({ backend, make }),
    );
  });
}

/** Creates an optimizer, and the backend to run it on. */
interface Subject {
  readonly backend: Backend;
  readonly make: () => Optimizer;
}

const optimizerTests: Tests<Subject> = {
  'keeps names, shapes and types (catches: a counter that turns into float32)': async ({
    backend,
    make,
  }) => {
    const [first, second] = await walk(backend, make(), { steps: 2 });
    expect(shapes(first?.updates), 'one update a parameter, shaped like it').toEqual(shapes(START));
    expect(shapes(second?.state), 'the state is shaped the same after every step').toEqual(
      shapes(first?.state),
    );
  },
  'is finite, even with zero gradients (catches: a root or a quotient of zero)': async ({
    backend,
    make,
  }) => {
    for (const grads of [GRADS, zerosLike(GRADS)])
      for (const { updates } of await walk(backend, make(), { grads }))
        for (const [key, { data }] of Object.entries(updates))
          expect(data.every(Number.isFinite), `updates of ${key} are finite`).toBe(true);
  },
  'is pure (catches: a counter kept in JavaScript, frozen or doubled once compiled)': async ({
    backend,
    make,
  }) => {
    const optimizer = make();
    const first = await walk(backend, optimizer);
    expect(await walk(backend, optimizer), 'a second run is the first again').toEqual(first);
    expect(await walk(backend, make()), 'and so is one of an optimizer made anew').toEqual(first);
  },
  'leaves no tensor behind (catches: memory that grows with every step)': async ({
    backend,
    make,
  }) => {
    await walk(backend, make(), { steps: 1 });
    const before = tf.memory().numTensors;
    await walk(backend, make(), { steps: 2 });
    expect(
      tf.memory().numTensors,
      'a step must leave no tensor behind: tf.keep and tf.variable outlive it',
    ).toBe(before);
  },
  'treats one vector like its parts, if it is elementwise (catches: a norm taken per parameter)':
    async ({ backend, make }, context) => {
      if (!make().elementwise) return context.skip('it is not elementwise');
      const named = await walk(backend, make());
      const flat = await walk(backend, make(), { start: flatten(START), grads: flatten(GRADS) });
      expect(
        flat.at(-1)?.params,
        'elementwise: true, but entries depend on their parameter; say false',
      ).toEqual(flatten(named.at(-1)?.params ?? {}));
    },
};

async function goesDownhill({ backend, make }: Subject): Promise<void> {
  const steps = await walk(backend, make(), { steps: 50, grads: 'bowl' });
  const height = (arrays: Arrays): number =>
    Object.values(arrays)
      .flatMap(({ data }) => [...data])
      .reduce((sum, x) => sum + x * x, 0);
  expect(
    height(steps.at(-1)?.params ?? START),
    'core computes params + updates: updates point downhill',
  ).toBeLessThan(height(START));
}

/** Parameters, state and updates after a step. */
interface Walked {
  readonly params: Arrays;
  readonly state: Arrays;
  readonly updates: Arrays;
}

/** Runs some steps with constant gradients (default 3), or on the quadratic Σ p²/2. */
async function walk(
  backend: Backend,
  optimizer: Optimizer,
  {
    steps = 3,
    start = START,
    grads = GRADS,
  }: { steps?: number; start?: Arrays; grads?: Arrays | 'bowl' } = {},
): Promise<Walked[]> {
  let params = upload<Params>(backend, start);
  const slope = upload<Params>(backend, grads === 'bowl' ? zerosLike(start) : grads);
  const init = await backend.compile(
    'init',
    (given: Params) => ({ state: optimizer.init(given) }),
    params,
  );
  let { state } = await init.run(params);
  const step = await backend.compile(
    'update',
    ({ params: at, state: before, grads: fixed }: Step) => {
      // The gradient of Σ p²/2 is p.
      const next = optimizer.update(grads === 'bowl' ? at : fixed, before, at);
      const moved = Object.entries(at).map(([key, p]) => [key, tf.add(p, next.updates[key]!)]);
      const moving: Params = Object.fromEntries(moved);
      return { ...next, params: moving };
    },
    { params, state, grads: slope },
  );
  const walked: Walked[] = [];
  for (let i = 0; i < steps; i++) {
    const out = await step.run({ params, state, grads: slope });
    for (const tree of [params, state]) freeTree(backend, tree);
    ({ params, state } = out);
    walked.push({
      params: await readTree(backend, params),
      state: await readTree(backend, state),
      updates: await readAndFree(backend, out.updates),
    });
  }
  for (const tree of [params, state, slope]) freeTree(backend, tree);
  for (const program of [init, step]) program.dispose();
  return walked;
}

const shapes = (arrays: Arrays = {}): string[] =>
  Object.entries(arrays).map(([key, { shape, dtype }]) => `${key} ${dtype} [${shape}]`);
