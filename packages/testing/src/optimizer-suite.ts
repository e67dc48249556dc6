/** The conformance suite of optimisers: pure, of steady state, downhill, and alike for one vector and for many. */
import {
  type Backend,
  type DeviceTensor,
  freeTree,
  type HostArray,
  type Optimizer,
  type OptimizerState,
  type Params,
  type Provision,
  readTree,
  rng,
  type Tree,
  uploadTree,
} from '@grok/core';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32 } from './arrays.js';
import './matchers.js';
import { createOf, isProvision, type OptionsGiven, optionsSuite } from './options-suite.js';
import { registeredBackend } from './registered-backend.js';

/** What the suite is told of an optimiser. */
export interface OptimizerSuiteOptions extends OptionsGiven {
  /** It lowers a bowl's height over 50 steps (default true); false for a lone link of a chain. */
  readonly descends?: boolean;
  /** Where it runs; default: the tfjs backend that is registered. */
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
const flatOf = (arrays: Arrays): Arrays => ({
  flat: f32(
    [16],
    Object.values(arrays).flatMap(({ data }) => [...data]),
  ),
});
const zerosOf = (arrays: Arrays): Arrays =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, data }]) => [
      name,
      f32(
        shape,
        data.map(() => 0),
      ),
    ]),
  );

/** Describes and tests an optimiser, or a bare one (whose options nobody can test). */
export function optimizerSuite(
  name: string,
  subject: Provision<'optimizer'> | Optimizer,
  {
    descends = true,
    backend: makeBackend = registeredBackend,
    ...given
  }: OptimizerSuiteOptions = {},
): void {
  const offered = isProvision<'optimizer'>(subject) ? subject : undefined;
  const make = (): Optimizer =>
    offered === undefined ? (subject as Optimizer) : createOf(offered, given.options);

  describe(`optimizer ${name}`, () => {
    optionsSuite('optimizer', offered, given);
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => backend.dispose());

    /** Some steps with the same gradients; parameters, states and updates after each. */
    async function walk(
      optimizer: Optimizer,
      steps: number,
      start: Arrays = START,
      grads: Arrays | 'bowl' = GRADS,
    ): Promise<{ params: Arrays; state: Arrays; updates: Arrays }[]> {
      const init = await backend.compile(
        'init',
        (params: Params) => ({ state: optimizer.init(params) }),
        start as never,
      );
      let params = uploadTree(backend, start);
      let { state } = (await init.run(params as never)) as unknown as { state: Tree<DeviceTensor> };
      const slope = uploadTree(backend, grads === 'bowl' ? zerosOf(start) : grads);
      const step = await backend.compile(
        'update',
        ({ params: at, state: before, grads: fixed }: Step) => {
          // The bowl Σ p²/2 has its own parameters as gradient.
          const next = optimizer.update(grads === 'bowl' ? at : fixed, before, at);
          const moved = Object.entries(at).map(([key, p]) => [key, tf.add(p, next.updates[key]!)]);
          return { ...next, params: Object.fromEntries(moved) as Params };
        },
        { params, state, grads: slope } as never,
      );
      const found = [];
      for (let i = 0; i < steps; i++) {
        const out = (await step.run({ params, state, grads: slope } as never)) as unknown as Record<
          'params' | 'state' | 'updates',
          Tree<DeviceTensor>
        >;
        freeTree(backend, params);
        freeTree(backend, state);
        ({ params, state } = out);
        const updates = await readTree(backend, out.updates);
        freeTree(backend, out.updates);
        found.push({
          params: await readTree(backend, params),
          state: await readTree(backend, state),
          updates,
        });
      }
      for (const tree of [params, state, slope]) freeTree(backend, tree);
      init.dispose();
      step.dispose();
      return found;
    }
    const shapes = (arrays: Arrays): string[] =>
      Object.entries(arrays).map(([key, { shape, dtype }]) => `${key} ${dtype} [${shape}]`);

    it('keeps names, shapes and types (catches: a counter that turns into float32)', async () => {
      const [first, second] = await walk(make(), 2);
      expect(shapes(first!.updates), 'one update a parameter, shaped like it').toEqual(
        shapes(START),
      );
      expect(shapes(second!.state), 'the state is shaped the same after every step').toEqual(
        shapes(first!.state),
      );
    });
    it('is finite, with gradients of zero too (catches: a root or a quotient of zero)', async () => {
      for (const grads of [GRADS, zerosOf(GRADS)])
        for (const { updates } of await walk(make(), 3, START, grads))
          for (const [key, { data }] of Object.entries(updates))
            expect(data.every(Number.isFinite), `updates of ${key} are finite`).toBe(true);
    });
    it('is pure (catches: a counter kept in JavaScript, frozen or doubled once compiled)', async () => {
      const optimizer = make();
      const first = await walk(optimizer, 3);
      expect(await walk(optimizer, 3), 'a second run is the first again').toEqual(first);
      expect(await walk(make(), 3), 'and so is one of an optimiser made anew').toEqual(first);
    });
    it('leaves no tensor behind (catches: memory that grows with every step)', async () => {
      await walk(make(), 1);
      const before = tf.memory().numTensors;
      await walk(make(), 2);
      expect(tf.memory().numTensors).toBe(before);
    });
    it.skipIf(!descends)('goes downhill (catches: updates of the wrong sign)', async () => {
      const steps = await walk(make(), 50, START, 'bowl');
      const height = (arrays: Arrays): number =>
        Object.values(arrays)
          .flatMap(({ data }) => [...data])
          .reduce((sum, x) => sum + x * x, 0);
      expect(
        height(steps.at(-1)!.params),
        'core computes params + updates: updates point downhill',
      ).toBeLessThan(height(START));
    });
    it('treats one vector as it treats its parts, if it says so (catches: a norm taken by parameter)', async (context) => {
      if (!make().elementwise) return context.skip('it is not elementwise');
      const named = await walk(make(), 3);
      const flat = await walk(make(), 3, flatOf(START), flatOf(GRADS));
      expect(
        flat.at(-1)!.params.flat!.data,
        'elementwise: true, but entries depend on their parameter; say false',
      ).toEqual(flatOf(named.at(-1)!.params).flat!.data);
    });
  });
}
