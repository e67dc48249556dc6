/**
 * The conformance suite of strategies: one call in a vitest file. It needs no model: sites are drawn
 * at random, so what is tested is the loss, its gradients, its options and its manners.
 */
import {
  type Backend,
  type ComposedObjective,
  compose,
  type ModelInfo,
  type Objective,
  type Provision,
  rng,
} from '@grok/core';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32 } from './arrays.js';
import './matchers.js';
import { imaginedModel } from './models.js';
import { createOf, isMeant, type OptionsGiven, optionsSuite } from './options-suite.js';
import { registeredBackend } from './registered-backend.js';
import { drawTerm, runTerm, type TermInputs } from './strategy-run.js';

/** What the suite is told of a strategy. */
export interface StrategySuiteOptions extends OptionsGiven {
  /** A student equal to its teacher has loss 0 and gradient 0 (default true); false for one with projectors. */
  readonly zeroWhenEqual?: boolean;
  /** Pairs of models to try, by what tells them apart, models alike first; default: alike, and a narrower student. */
  readonly models?: Readonly<
    Record<string, { student: ModelInfo; teachers: Readonly<Record<string, ModelInfo>> }>
  >;
  /** Where it runs; default: the tfjs backend that is registered. */
  readonly backend?: () => Backend | Promise<Backend>;
}

const ALIKE = { student: imaginedModel(), teachers: { teacher: imaginedModel() } };
const NARROWER = { student: imaginedModel(), teachers: { teacher: imaginedModel({ width: 12 }) } };

/** Describes and tests a strategy, or a bare objective (whose options nobody can test). */
export function strategySuite(
  name: string,
  strategy: Provision<'strategy'> | Objective,
  {
    options = {},
    refuses = [],
    zeroWhenEqual = true,
    models = { 'models alike': ALIKE, 'a narrower student': NARROWER },
    backend: makeBackend = registeredBackend,
  }: StrategySuiteOptions = {},
): void {
  const offered = 'kind' in strategy ? strategy : undefined;
  const create = (given: unknown): Objective =>
    offered === undefined ? (strategy as Objective) : createOf(offered, given);

  // The first pair is that of models alike, with every teacher that the strategy needs.
  const base = Object.values(models)[0] ?? ALIKE;

  describe(`strategy ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => backend.dispose());

    optionsSuite('strategy', offered, { options, refuses });

    describe.each(Object.entries(models))('%s', (_, pair) => {
      /** The objective bound to the pair; undefined where it refuses it, as it may. */
      const bind = (): ComposedObjective | undefined => {
        try {
          return compose([{ name: 'term', weight: 1, objective: create(options) }], pair);
        } catch (error) {
          if (isMeant(error)) return undefined;
          throw error;
        }
      };
      const draw = (term: ComposedObjective, seed = 1, batch = 3): TermInputs =>
        drawTerm(term, pair, { seed, batch });

      it('gives finite scalars and gradients (catches: NaN from a log or a root of zero)', async (context) => {
        const term = bind();
        if (term === undefined) return context.skip('it refuses these models');
        for (const batch of [3, 5]) {
          const { loss, terms, grads } = await runTerm(backend, term, draw(term, 1, batch));
          expect(Number.isFinite(loss)).toBe(true);
          for (const value of Object.values(terms)) expect(value.shape).toEqual([]);
          for (const { data } of Object.values(grads))
            expect(data.every((value) => Number.isFinite(value))).toBe(true);
          expect(Object.values(grads).some(({ data }) => data.some((value) => value !== 0))).toBe(
            true,
          );
        }
      });

      it('has the gradient that its values have (catches: a wrong gradient of one’s own)', async (context) => {
        const term = bind();
        if (term === undefined) return context.skip('it refuses these models');
        const at = draw(term);
        const { grads } = await runTerm(backend, term, at);
        const size = Math.sqrt(
          Object.values(grads)
            .flatMap(({ data }) => [...data])
            .reduce((sum, value) => sum + value ** 2, 0),
        );
        // Along the gradient the slope is its length.
        const moved = async (by: number): Promise<number> => {
          const params = Object.fromEntries(
            Object.entries(at.params).map(([key, { shape, data }]) => [
              key,
              f32(
                shape,
                Array.from(data, (v, i) => v + (by * grads[key]!.data[i]!) / size),
              ),
            ]),
          );
          return (await runTerm(backend, term, { ...at, params })).loss;
        };
        const step = 1e-2;
        const slope = ((await moved(step)) - (await moved(-step))) / (2 * step);
        expect([slope]).toBeCloseToTensor([size], { absolute: 1e-4, relative: 1e-2 });
      });

      it('is pure (catches: state kept between calls, inputs changed or disposed)', async (context) => {
        const term = bind();
        if (term === undefined) return context.skip('it refuses these models');
        const first = await runTerm(backend, term, draw(term), { twice: true });
        expect(first.again).toEqual({ loss: first.loss, grads: first.grads });
        expect(first.unchanged).toBe(true);
        const fresh = await runTerm(backend, bind()!, draw(term));
        expect(fresh.grads).toEqual(first.grads);
      });

      it('leaves no tensor behind (catches: memory that grows with every step)', async (context) => {
        const term = bind();
        if (term === undefined) return context.skip('it refuses these models');
        await runTerm(backend, term, draw(term));
        const before = tf.memory().numTensors;
        await runTerm(backend, term, draw(term));
        expect(tf.memory().numTensors).toBe(before);
      });

      it('draws what its seed says (catches: Math.random, draws whose shape changes)', (context) => {
        const term = bind();
        if (term === undefined) return context.skip('it refuses these models');
        const rows = Int32Array.of(4, 0, 9);
        const shapes = (drawn: Record<string, Record<string, { shape: readonly number[] }>>) =>
          Object.entries(drawn).flatMap(([, own]) =>
            Object.entries(own).map(([key, { shape }]) => `${key} [${shape}]`),
          );
        expect(term.extra(rng(1))).toEqual(term.extra(rng(1)));
        expect(term.draws(rng(1), 3, rows)).toEqual(bind()!.draws(rng(1), 3, rows));
        expect(shapes(term.draws(rng(1), 3, rows))).toEqual(shapes(term.draws(rng(1), 0, rows)));
      });
    });

    it.skipIf(!zeroWhenEqual)(
      'is zero, with zero gradient, for a student like its teacher (catches: sites paired crosswise)',
      async () => {
        const term = compose([{ name: 'term', weight: 1, objective: create(options) }], base);
        const { loss, grads } = await runTerm(
          backend,
          term,
          drawTerm(term, base, { seed: 1, batch: 3, alike: true }),
        );
        expect([loss]).toBeCloseToTensor([0], { absolute: 1e-6 });
        for (const [key, { data }] of Object.entries(grads))
          expect(data, key).toBeCloseToTensor(new Float32Array(data.length), { absolute: 1e-6 });
      },
    );

    it('asks for its teacher by name where there is none (catches: a crash inside the first step)', (context) => {
      const needs = compose([{ name: 'term', weight: 1, objective: create(options) }], base).needs;
      if (Object.keys(needs.teachers).length === 0) return context.skip('it needs no teacher');
      const alone = { student: base.student, teachers: {} };
      let error: unknown;
      try {
        compose([{ name: 'term', weight: 1, objective: create(options) }], alone);
      } catch (thrown) {
        error = thrown;
      }
      expect(isMeant(error), `an error for people, got ${error}`).toBe(true);
      expect((error as Error).message).toContain('teacher');
    });
  });
}
