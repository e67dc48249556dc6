/** The conformance suite of models: sites as declared, gradients as values have them, rows that never mix. */
import {
  type Backend,
  freeTree,
  type HostArray,
  type HostParams,
  type Model,
  type ModelFactory,
  type Params,
  type Provision,
  reader,
  readTree,
  rng,
  type Site,
  sizeOf,
  type TaskInfo,
  uploadTree,
  valueAndGrads,
} from '@grok/core';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { f32, i32 } from './arrays.js';
import './matchers.js';
import { createOf, isProvision, type OptionsGiven, optionsSuite } from './options-suite.js';
import { registeredBackend } from './registered-backend.js';

/** What the suite is told of a model. */
export interface ModelSuiteOptions extends OptionsGiven {
  /** Inputs to try it on, with data; default: 6 rows of 4 tokens of 7. */
  readonly task?: TaskInfo & { readonly inputs: HostArray };
  /** Where it runs; default: the tfjs backend that is registered. */
  readonly backend?: () => Backend | Promise<Backend>;
}

type How = { sites: readonly Site[]; keep?: boolean; tap?: Site; scale?: number };
const TOKENS = i32(
  [6, 4],
  [0, 1, 2, 3, 4, 5, 6, 0, 2, 2, 1, 6, 5, 4, 3, 2, 1, 0, 6, 6, 3, 3, 0, 1],
);

/** Describes and tests a model, or a bare factory (whose options nobody can test). */
export function modelSuite(
  name: string,
  subject: Provision<'model'> | ModelFactory,
  {
    task = { vocabulary: 7, inputs: TOKENS },
    backend: makeBackend = registeredBackend,
    ...given
  }: ModelSuiteOptions = {},
): void {
  const offered = isProvision<'model'>(subject) ? subject : undefined;
  // Without the data: a model that has them may be for those rows only, in that order.
  const { data: _, ...spec } = task.inputs;
  const make = (): Model =>
    (offered === undefined ? (subject as ModelFactory) : createOf(offered, given.options))({
      vocabulary: task.vocabulary,
      inputs: spec,
    });
  const rows = task.inputs.shape[0]!;
  const some = (from: number, to: number): HostArray => {
    const size = sizeOf(task.inputs.shape.slice(1));
    const data = task.inputs.data.slice(from * size, to * size);
    return { ...task.inputs, shape: [to - from, ...task.inputs.shape.slice(1)], data };
  };

  describe(`model ${name}`, () => {
    optionsSuite('model', offered, given);
    let backend: Backend;
    let model: Model;
    let params: HostParams;
    beforeAll(async () => {
      backend = await makeBackend();
      model = make();
      params = model.init(rng(1));
    });
    afterAll(() => backend.dispose());

    /** Sites of some rows, and gradients of the sum of squares of the first site. */
    async function run(
      how: How,
      inputs = task.inputs,
      values: HostParams = params,
    ): Promise<{ sites: Record<Site, HostArray>; loss: number; grads: Record<string, HostArray> }> {
      const batch = inputs.shape[0]!;
      const keep = Object.fromEntries(
        Object.entries(how.keep === true ? model.keeps(batch) : {}).map(([key, shape]) => {
          const data = rng(2).split(key).bernoulli(sizeOf(shape), model.keepProbability);
          return [key, { shape, dtype: 'bool' as const, data }];
        }),
      );
      const on = uploadTree(backend, { params: values, inputs, keep });
      const program = await backend.compile(
        'model',
        (at: { params: Params; inputs: tf.Tensor; keep: Params }) => {
          const { loss, aux, grads } = valueAndGrads((current) => {
            const sites = model.apply(reader('parameter', current), at.inputs, {
              sites: new Set(how.sites),
              ...(how.keep === true ? { keep: at.keep } : {}),
              ...(how.tap === undefined
                ? {}
                : { taps: { [how.tap]: (value: tf.Tensor) => tf.mul(value, how.scale ?? 1) } }),
            });
            return { loss: tf.sum(tf.square(sites[how.sites[0]!]!)) as tf.Scalar, aux: { sites } };
          }, at.params);
          return { loss, sites: aux.sites, grads };
        },
        on as never,
      );
      const out = await program.run(on as never);
      const read = await readTree(backend, out as never);
      freeTree(backend, out as never);
      freeTree(backend, on);
      program.dispose();
      const under = (prefix: string): Record<string, HostArray> =>
        Object.fromEntries(
          Object.entries(read)
            .filter(([path]) => path.startsWith(prefix))
            .map(([path, value]) => [path.slice(prefix.length), value]),
        );
      return { sites: under('sites/'), grads: under('grads/'), loss: read.loss!.data[0]! };
    }

    it('draws its parameters from the seed (catches: Math.random, one draw used for all)', () => {
      expect(make().init(rng(1)), 'one seed gives one model').toEqual(params);
      expect(make().init(rng(2)), 'another seed gives another').not.toEqual(params);
      for (const [key, { shape, dtype, data }] of Object.entries(params)) {
        expect(data.length, `${key} fills its shape [${shape}]`).toBe(sizeOf(shape));
        expect({ key, dtype, finite: Array.from(data).every(Number.isFinite) }).toEqual({
          key,
          dtype: 'float32',
          finite: true,
        });
      }
    });
    it('has every site that it declares, shaped as declared (catches: strategies fed the wrong axes)', async () => {
      const known = model.sites();
      const named = known.map((site) => site.name);
      expect(named, 'a model has logits').toContain('logits');
      expect(known.find((site) => site.name === 'logits')!.shape).toEqual([task.vocabulary]);
      const { sites } = await run({ sites: named });
      for (const { name: site, shape } of known) {
        expect(sites[site]?.shape, `${site} is [batch, …] as sites() says`).toEqual([
          rows,
          ...shape,
        ]);
        const finite = Array.from(sites[site]!.data).every(Number.isFinite);
        expect(finite, `${site} is finite`).toBe(true);
      }
    });
    it('gives a site the same values whatever else is asked for (catches: a shortcut that is none)', async () => {
      const named = model.sites().map((site) => site.name);
      const all = (await run({ sites: named })).sites;
      for (const site of [named[0]!, named[Math.floor(named.length / 2)]!, 'logits']) {
        const alone = (await run({ sites: [site] })).sites;
        expect(Object.keys(alone), 'only what was asked for is given').toEqual([site]);
        expect(alone[site]!).toBeCloseToTensor(all[site]!, { absolute: 1e-4, relative: 1e-4 });
      }
    });
    it('names the site that it does not have, and those that it has (catches: undefined in a loss)', async () => {
      await expect(run({ sites: ['no.such.site'] })).rejects.toThrow(/no\.such\.site.*logits/s);
    });
    it('keeps rows apart (catches: statistics of the batch, axes mixed up)', async () => {
      const all = (await run({ sites: ['logits'] })).sites.logits!;
      const [half, classes] = [Math.floor(rows / 2), task.vocabulary];
      for (const [from, to] of [
        [0, half],
        [half, rows],
      ] as const) {
        const part = (await run({ sites: ['logits'] }, some(from, to))).sites.logits!;
        expect(part.data).toBeCloseToTensor(all.data.slice(from * classes, to * classes), {
          absolute: 1e-4,
          relative: 1e-4,
        });
      }
    });
    it('has the gradient that its values have (catches: a wrong gradient of one’s own)', async () => {
      const { grads } = await run({ sites: ['logits'] });
      const squares = Object.values(grads).flatMap(({ data }) => Array.from(data, (g) => g * g));
      const length = Math.sqrt(squares.reduce((a, b) => a + b));
      expect(length > 0 && Number.isFinite(length), 'gradients are finite, some not zero').toBe(
        true,
      );
      // Along the gradient the slope is its length.
      const moved = (by: number): HostParams =>
        Object.fromEntries(
          Object.entries(params).map(([key, { shape, data }]) => [
            key,
            f32(
              shape,
              Array.from(data, (v, i) => v + (by * grads[key]!.data[i]!) / length),
            ),
          ]),
        );
      const h = 2e-3;
      const [above, below] = [
        await run({ sites: ['logits'] }, task.inputs, moved(h)),
        await run({ sites: ['logits'] }, task.inputs, moved(-h)),
      ];
      expect([(above.loss - below.loss) / (2 * h)]).toBeCloseToTensor([length], {
        absolute: 1e-3,
        relative: 2e-2,
      });
    });
    it('lets a value be replaced (catches: taps that are read and forgotten)', async () => {
      const plain = (await run({ sites: ['logits'] })).sites.logits!;
      const same = await run({ sites: ['logits'], tap: 'logits', scale: 1 });
      expect(same.sites.logits!).toBeCloseToTensor(plain, { absolute: 1e-5 });
      const twice = await run({ sites: ['logits'], tap: 'logits', scale: 2 });
      const doubled = f32(
        plain.shape,
        Array.from(plain.data, (v) => 2 * v),
      );
      expect(twice.sites.logits!, 'a tap of a site replaces its value').toBeCloseToTensor(doubled);
    });
    it('drops only where it is given masks (catches: dropout in evaluation)', async (context) => {
      const plain = await run({ sites: ['logits'] });
      expect((await run({ sites: ['logits'] })).sites, 'without masks it draws nothing').toEqual(
        plain.sites,
      );
      if (Object.keys(model.keeps(rows)).length === 0) return context.skip('it has no dropout');
      expect(model.keepProbability).toBeGreaterThan(0);
      expect(model.keepProbability).toBeLessThan(1);
      const dropped = await run({ sites: ['logits'], keep: true });
      expect(dropped.sites.logits!.data, 'masks change what comes out').not.toEqual(
        plain.sites.logits!.data,
      );
    });
    it('leaves no tensor behind (catches: memory that grows with every step)', async () => {
      await run({ sites: ['logits'], keep: true });
      const before = tf.memory().numTensors;
      await run({ sites: ['logits'], keep: true });
      expect(tf.memory().numTensors).toBe(before);
    });
  });
}
