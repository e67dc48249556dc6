/**
 * The conformance suite for strategies: one call in a vitest file. It needs no model: sites are
 * drawn at random, so it tests the loss, its gradients, its options and leaks.
 */
import { type Backend, type ComponentDefinition, type Objective, rng } from '@grok/core';
import { type ComposedObjective, compose } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moveAlong } from './arrays.js';
import './matchers.js';
import { fakeModel } from './models.js';
import { isMeant, type OptionsGiven, optionsSuite, subjectMaker } from './options-suite.js';
import { registeredBackend } from './registered-backend.js';
import { drawTerm, type Models, runTerm, type TermInputs } from './strategy-run.js';
import type { Tests } from './tests-by-title.js';

/** Options of `strategySuite`. */
export interface StrategySuiteOptions extends OptionsGiven {
  /**
   * Whether a student equal to its teacher must have loss 0 and gradient 0 (default true); false for losses
   * with projectors.
   */
  readonly zeroWhenEqual?: boolean;
  /**
   * Pairs of models to test, by description, equal models first; default: equal models, and a narrower student.
   */
  readonly models?: Readonly<Record<string, Models>>;
  /** The backend; default: the registered tfjs backend. */
  readonly backend?: () => Backend | Promise<Backend>;
}

const ALIKE: Models = { student: fakeModel(), teachers: { teacher: fakeModel() } };
const NARROWER: Models = {
  student: fakeModel(),
  teachers: { teacher: fakeModel({ width: 12 }) },
};

/** Registers the conformance tests of a strategy, or of a bare objective (without tests of options). */
export function strategySuite(
  name: string,
  strategy: ComponentDefinition<'strategy'> | Objective,
  {
    options = {},
    refuses = [],
    zeroWhenEqual = true,
    models = { 'models alike': ALIKE, 'a narrower student': NARROWER },
    backend: makeBackend = registeredBackend,
  }: StrategySuiteOptions = {},
): void {
  const { offered, make } = subjectMaker<'strategy'>(strategy, options);
  const bind = (pair: Models): ComposedObjective =>
    compose([{ name: 'term', weight: 1, objective: make() }], pair);
  // The first pair has equal models, with every teacher that the strategy needs.
  const base = Object.values(models)[0] ?? ALIKE;

  describe(`strategy ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => backend.dispose());

    optionsSuite('strategy', offered, { options, refuses });
    describe.each(Object.entries(models))('%s', (_, pair) => {
      for (const [title, test] of Object.entries(termTests))
        it(title, (context) => {
          const term = bindUnlessRefused(() => bind(pair));
          if (term === undefined) return context.skip('it refuses these models');
          return test({ backend, term, pair, bind: () => bind(pair) }, context);
        });
    });
    it.skipIf(!zeroWhenEqual)(
      'is zero, with zero gradient, for a student equal to its teacher (catches: sites paired crosswise)',
      async () => {
        const term = bind(base);
        const drawn = drawTerm(term, base, { seed: 1, batch: 3, alike: true });
        const { loss, grads } = await runTerm(backend, term, drawn);
        expect(
          [loss],
          'a student equal to its teacher must have loss 0; say zeroWhenEqual: false if it may differ',
        ).toBeCloseToTensor([0], { absolute: 1e-6 });
        for (const [key, { data }] of Object.entries(grads))
          expect(data, key).toBeCloseToTensor(new Float32Array(data.length), { absolute: 1e-6 });
      },
    );
    it('reports a missing teacher by name (catches: a crash inside the first step)', (context) => {
      if (Object.keys(bind(base).needs.teachers).length === 0)
        return context.skip('it needs no teacher');
      const error = thrownBy(() => bind({ student: base.student, teachers: {} }));
      expect(isMeant(error), `must throw an error with a message, got ${error}`).toBe(true);
      expect(String(error), 'the refusal must say that a teacher is missing').toContain('teacher');
    });
  });
}

/** A strategy bound to a pair of models. */
interface Subject {
  readonly backend: Backend;
  readonly term: ComposedObjective;
  readonly pair: Models;
  /** Binds it again. */
  readonly bind: () => ComposedObjective;
}

const draw = ({ term, pair }: Subject, step = 0, batch = 3): TermInputs =>
  drawTerm(term, pair, { seed: 1, batch, step });

/** Steps to test at, since a weight may warm up from 0 or anneal to 0. */
const STEPS = [0, 1000];

/** Outputs of a term at each of the steps. */
async function runAtSteps(subject: Subject, batch?: number) {
  const { backend, term } = subject;
  const found = [];
  for (const step of STEPS) {
    const at = draw(subject, step, batch);
    const out = await runTerm(backend, term, at);
    const slopes = Object.values(out.grads).flatMap(({ data }) => [...data]);
    found.push({ ...out, step, at, slopes });
  }
  return found;
}

const termTests: Tests<Subject> = {
  'gives finite scalars and gradients (catches: NaN from a log or a root of zero)': async (
    subject,
  ) => {
    for (const batch of [3, 5]) {
      const found = await runAtSteps(subject, batch);
      for (const { step, loss, terms, slopes } of found) {
        const when = `at step ${step}, for ${batch} rows`;
        expect(Number.isFinite(loss), `the loss must be finite, got ${loss} ${when}`).toBe(true);
        for (const [name, { shape }] of Object.entries(terms))
          expect(shape, `"${name}" must be a scalar: reduce it with tf.mean or tf.sum`).toEqual([]);
        const odd = slopes.find((value) => !Number.isFinite(value));
        expect(odd, `gradients must be finite, got ${odd} ${when}`).toBeUndefined();
      }
      const reaches = found.some(({ slopes }) => slopes.some((value) => value !== 0));
      expect(
        reaches,
        `some gradient must differ from 0 at one of the steps ${STEPS.join(', ')}: the student would learn nothing of this term`,
      ).toBe(true);
    }
  },

  'has the gradient of its values (catches: a wrong custom gradient)': async (subject) => {
    const { backend, term } = subject;
    for (const { step, at, grads, slopes } of await runAtSteps(subject)) {
      const size = Math.hypot(...slopes);
      if (size === 0) continue; // the weight is 0 here; the previous test covers a nonzero one
      // Along the gradient, the directional derivative is its norm.
      const lossAt = async (by: number): Promise<number> => {
        const params = moveAlong(at.params, grads, by / size);
        return (await runTerm(backend, term, { ...at, params })).loss;
      };
      const h = 1e-2;
      const slope = ((await lossAt(h)) - (await lossAt(-h))) / (2 * h);
      expect(
        [slope],
        `at step ${step}, the loss along its gradient must rise by the gradient’s length`,
      ).toBeCloseToTensor([size], { absolute: 1e-4, relative: 1e-2 });
    }
  },

  'is pure (catches: state kept between calls, inputs changed or disposed)': async (subject) => {
    const { backend, term, bind } = subject;
    const first = await runTerm(backend, term, draw(subject), { twice: true });
    expect(
      first.again,
      'the same inputs must give the same again: no state, no Math.random, no clock',
    ).toEqual({ loss: first.loss, grads: first.grads });
    expect(
      first.unchanged,
      'inputs must be left as they are: neither changed nor disposed of',
    ).toBe(true);
    const rebound = await runTerm(backend, bind(), draw(subject));
    expect(
      rebound.grads,
      'bound anew, it must give the same: no state, no Math.random, no clock',
    ).toEqual(first.grads);
  },

  'leaves no tensor behind (catches: memory that grows with every step)': async (subject) => {
    const { backend, term } = subject;
    await runTerm(backend, term, draw(subject));
    const before = tf.memory().numTensors;
    await runTerm(backend, term, draw(subject));
    expect(
      tf.memory().numTensors,
      'a step must leave no tensor behind: tf.keep and tf.variable outlive it',
    ).toBe(before);
  },

  'draws reproducibly from its seed (catches: Math.random, draws whose shape changes)': ({
    term,
    bind,
  }) => {
    const rows = Int32Array.of(4, 0, 9);
    const shapes = (drawn: Record<string, Record<string, { shape: readonly number[] }>>) =>
      Object.entries(drawn).flatMap(([, own]) =>
        Object.entries(own).map(([key, { shape }]) => `${key} [${shape}]`),
      );
    expect(
      term.auxiliaryParams(rng(1)),
      'auxiliaryParams must draw from the rng that it is given, and from nothing else',
    ).toEqual(term.auxiliaryParams(rng(1)));
    expect(
      term.randomInputs(rng(1), 3, rows),
      'randomInputs must draw from the rng that it is given, and from nothing else',
    ).toEqual(bind().randomInputs(rng(1), 3, rows));
    expect(
      shapes(term.randomInputs(rng(1), 3, rows)),
      'random inputs must have one shape at every step: a compiled step has one',
    ).toEqual(shapes(term.randomInputs(rng(1), 0, rows)));
  },
};

/** The bound objective; undefined if it refuses its models, which is allowed. */
function bindUnlessRefused(bind: () => ComposedObjective): ComposedObjective | undefined {
  try {
    return bind();
  } catch (error) {
    if (isMeant(error)) return undefined;
    throw error;
  }
}

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
