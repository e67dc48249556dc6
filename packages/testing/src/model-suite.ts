/** The conformance suite for models: sites as declared, gradients that match values, rows that do not mix. */
import {
  type Backend,
  type ComponentDefinition,
  type HostArray,
  type HostParams,
  type Model,
  type ModelFactory,
  type Params,
  rng,
  type Site,
  sizeOf,
  type TaskInfo,
} from '@grok/core';
import { reader, valueAndGrads } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { f32, i32, moveAlong } from './arrays.js';
import './matchers.js';
import { type OptionsGiven, optionsSuite, subjectMaker } from './options-suite.js';
import { registeredBackend } from './registered-backend.js';
import { runOnce, under } from './run-once.js';
import { registerTests, type Tests } from './tests-by-title.js';

/** Options of `modelSuite`. */
export interface ModelSuiteOptions extends OptionsGiven {
  /** Inputs with data; default: 6 rows of 4 tokens from a vocabulary of 7. */
  readonly task?: TaskInfo & { readonly inputs: HostArray };
  /** The backend; default: the registered tfjs backend. */
  readonly backend?: () => Backend | Promise<Backend>;
}

/** A model on a backend, with the parameters of seed 1. */
interface Subject {
  readonly backend: Backend;
  readonly model: Model;
  readonly params: HostParams;
  readonly task: TaskInfo & { readonly inputs: HostArray };
  readonly make: () => Model;
}
/** How to run a model: its sites, with dropout, with one site multiplied by `scale`. */
interface ApplyOptions {
  readonly sites?: readonly Site[];
  readonly dropout?: boolean;
  readonly tap?: Site;
  readonly scale?: number;
  /** Default: the task's. */
  readonly inputs?: HostArray;
  /** Default: the subject's. */
  readonly params?: HostParams;
}

const CLOSE = { absolute: 1e-4, relative: 1e-4 };
const TOKENS = i32(
  [6, 4],
  [0, 1, 2, 3, 4, 5, 6, 0, 2, 2, 1, 6, 5, 4, 3, 2, 1, 0, 6, 6, 3, 3, 0, 1],
);

/** Registers the conformance tests of a model, or of a bare factory (without tests of options). */
export function modelSuite(
  name: string,
  subject: ComponentDefinition<'model'> | ModelFactory,
  {
    task = { vocabulary: 7, inputs: TOKENS },
    backend: makeBackend = registeredBackend,
    ...given
  }: ModelSuiteOptions = {},
): void {
  const { offered, make: makeFactory } = subjectMaker<'model'>(subject, given.options);
  // Without the data, since a model that has it may only work for those rows in that order.
  const { data: _, ...inputs } = task.inputs;
  const make = (): Model => makeFactory()({ vocabulary: task.vocabulary, inputs });

  describe(`model ${name}`, () => {
    optionsSuite('model', offered, given);
    let backend: Backend;
    let model: Model;
    beforeAll(async () => {
      backend = await makeBackend();
      model = make();
    });
    afterAll(() => backend.dispose());
    registerTests(modelTests, () => ({ backend, model, params: model.init(rng(1)), task, make }));
  });
}

const modelTests: Tests<Subject> = {
  'draws its parameters from the seed (catches: Math.random, one draw used for all)': ({
    make,
    params,
  }) => {
    expect(make().init(rng(1)), 'one seed gives one model').toEqual(params);
    expect(make().init(rng(2)), 'another seed gives another').not.toEqual(params);
    for (const [key, { shape, dtype, data }] of Object.entries(params)) {
      expect(data.length, `${key} fills its shape [${shape}]`).toBe(sizeOf(shape));
      expect(
        { key, dtype, finite: data.every(Number.isFinite) },
        'parameters must be finite float32 values',
      ).toEqual({
        key,
        dtype: 'float32',
        finite: true,
      });
    }
  },
  'has every declared site, with its declared shape (catches: strategies fed the wrong axes)':
    async (subject) => {
      const known = subject.model.sites();
      const logits = known.find((site) => site.name === 'logits');
      expect(logits?.shape, 'a model has logits, [vocabulary]').toEqual([subject.task.vocabulary]);
      const { sites } = await run(subject, { sites: known.map((site) => site.name) });
      const [rows] = subject.task.inputs.shape;
      expect(new Set(known.map(({ name }) => name)).size, 'no two sites share a name').toBe(
        known.length,
      );
      for (const { name, shape, axes } of known) {
        expect(axes.length, `${name} names each axis of [${shape}], got [${axes}]`).toBe(
          shape.length,
        );
        const value = sites[name];
        expect(value?.shape, `${name} is [batch, …] as sites() says`).toEqual([rows, ...shape]);
        expect(value?.data.every(Number.isFinite), `${name} is finite`).toBe(true);
      }
    },
  'gives a site the same values whatever else is requested (catches: a shortcut that is not exact)':
    async (subject) => {
      const named = subject.model.sites().map((site) => site.name);
      const { sites: all } = await run(subject, { sites: named });
      const middle = Math.floor(named.length / 2);
      for (const site of new Set([
        ...named.slice(0, 1),
        ...named.slice(middle, middle + 1),
        'logits',
      ])) {
        const { sites: alone } = await run(subject, { sites: [site] });
        expect(Object.keys(alone), 'only what was asked for is given').toEqual([site]);
        expect(
          alone[site],
          'a site must have the same values when it is asked for alone',
        ).toBeCloseToTensor(all[site] ?? [], CLOSE);
      }
    },
  'names an unknown site, and the known ones (catches: undefined in a loss)': async (subject) => {
    const unknownSite = run(subject, { sites: ['no.such.site'] });
    await expect(
      unknownSite,
      'an unknown site must be refused by its name, with those that there are',
    ).rejects.toThrow(/no\.such\.site.*logits/s);
  },
  'computes rows independently (catches: statistics of the batch, axes mixed up)': async (
    subject,
  ) => {
    const { task } = subject;
    const all = await runLogits(subject);
    const [rows = 0] = task.inputs.shape;
    const half = Math.floor(rows / 2);
    for (const [from, to] of [
      [0, half],
      [half, rows],
    ] as const) {
      const part = await runLogits(subject, { inputs: takeRange(task.inputs, from, to) });
      const want = all.data.slice(from * task.vocabulary, to * task.vocabulary);
      expect(
        part.data,
        'half of the rows alone must give what they give among all: rows must not mix',
      ).toBeCloseToTensor(want, CLOSE);
    }
  },
  'has the gradient of its values (catches: a wrong custom gradient)': async (subject) => {
    const { grads } = await run(subject);
    const squares = Object.values(grads).flatMap(({ data }) => Array.from(data, (g) => g * g));
    const length = Math.sqrt(squares.reduce((a, b) => a + b));
    const finite = length > 0 && Number.isFinite(length);
    expect(finite, 'gradients are finite, some not zero').toBe(true);
    // Along the gradient, the directional derivative is its norm.
    const h = 2e-3;
    const above = await run(subject, { params: moveAlong(subject.params, grads, h / length) });
    const below = await run(subject, { params: moveAlong(subject.params, grads, -h / length) });
    expect(
      [(above.loss - below.loss) / (2 * h)],
      'the loss along its gradient must rise by the gradient’s length',
    ).toBeCloseToTensor([length], {
      absolute: 1e-3,
      relative: 2e-2,
    });
  },
  'lets a value be replaced (catches: taps that are read and forgotten)': async (subject) => {
    const plain = await runLogits(subject);
    const same = await runLogits(subject, { tap: 'logits', scale: 1 });
    expect(same, 'a tap that changes nothing must change nothing').toBeCloseToTensor(plain, {
      absolute: 1e-5,
    });
    const twice = await runLogits(subject, { tap: 'logits', scale: 2 });
    const doubled = f32(
      plain.shape,
      Array.from(plain.data, (v) => 2 * v),
    );
    expect(twice, 'a tap of a site replaces its value').toBeCloseToTensor(doubled);
  },
  'drops only with masks (catches: dropout in evaluation)': async (subject, context) => {
    const plain = await runLogits(subject);
    expect(await runLogits(subject), 'without masks it draws nothing').toEqual(plain);
    const { dropoutMaskShapes, keepProbability } = subject.model;
    if (Object.keys(dropoutMaskShapes.call(subject.model, 1)).length === 0)
      return context.skip('it has no dropout');
    expect(
      keepProbability,
      'keepProbability must be above 0, as it divides what is kept',
    ).toBeGreaterThan(0);
    expect(
      keepProbability,
      'keepProbability must be below 1 where the model has dropout masks',
    ).toBeLessThan(1);
    const dropped = await runLogits(subject, { dropout: true });
    expect(dropped.data, 'masks change what comes out').not.toEqual(plain.data);
  },
  'leaves no tensor behind (catches: memory that grows with every step)': async (subject) => {
    await run(subject, { dropout: true });
    const before = tf.memory().numTensors;
    await run(subject, { dropout: true });
    expect(
      tf.memory().numTensors,
      'a step must leave no tensor behind: tf.keep and tf.variable outlive it',
    ).toBe(before);
  },
};

/** Values at sites, and gradients of the sum of squares of the first site. */
async function run(
  { backend, model, ...defaults }: Subject,
  { sites = ['logits'], dropout = false, tap, scale = 1, ...given }: ApplyOptions = {},
): Promise<{ sites: Record<Site, HostArray>; loss: number; grads: Record<string, HostArray> }> {
  const { inputs = defaults.task.inputs, params = defaults.params } = given;
  const [batch = 0] = inputs.shape;
  const masks = dropout ? Object.entries(model.dropoutMaskShapes(batch)) : [];
  const taps =
    tap === undefined ? {} : { taps: { [tap]: (value: tf.Tensor) => tf.mul(value, scale) } };
  const out = await runOnce(
    backend,
    'model',
    (at: { params: Params; inputs: tf.Tensor; masks: Params }) => {
      const { loss, aux, grads } = valueAndGrads((current) => {
        const values = model.apply(reader('parameter', current), at.inputs, {
          sites: new Set(sites),
          ...(dropout ? { masks: at.masks } : {}),
          ...taps,
        });
        const [first = tf.scalar(Number.NaN)] = sites.flatMap((site) => values[site] ?? []);
        return { loss: tf.sum(tf.square(first)), aux: { sites: values } };
      }, at.params);
      return { loss, sites: aux.sites, grads };
    },
    {
      params,
      inputs,
      masks: Object.fromEntries(
        masks.map(([key, shape]) => {
          const data = rng(2).split(key).bernoulli(sizeOf(shape), model.keepProbability);
          return [key, { shape, dtype: 'bool', data }];
        }),
      ),
    },
  );
  const [loss = Number.NaN] = out.loss?.data ?? [];
  return { sites: under('sites/', out), grads: under('grads/', out), loss };
}

/** Only the logits `[rows, vocabulary]`. */
async function runLogits(subject: Subject, how: ApplyOptions = {}): Promise<HostArray> {
  const { sites } = await run(subject, how);
  if (sites.logits === undefined) throw new Error('the model gave no logits');
  return sites.logits;
}

/** Rows `from` to `to` of an array. */
function takeRange(array: HostArray, from: number, to: number): HostArray {
  const rest = array.shape.slice(1);
  const size = sizeOf(rest);
  return { ...array, shape: [to - from, ...rest], data: array.data.slice(from * size, to * size) };
}
