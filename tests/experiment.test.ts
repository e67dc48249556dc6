/** The keys of an experiment other than its components, each tested in a small run. */
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import {
  buildSpecSchema,
  createRegistry,
  defineProbe,
  defineStrategy,
  defineTransform,
  type Experiment,
  evaluateRun,
  type HostParams,
  type MetricsRow,
  memoryStore,
  type Plugin,
  type RunResult,
  type Store,
  schema,
  startRun,
  transformModel,
} from '@grok/core';
import { isControl, newestCheckpoint } from '@grok/core/internal';
import data from '@grok/data';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { expandPlan, nameControls, type Plan, planRuns, preflight } from '@grok/study';
import type * as tf from '@grok/tfjs';
import { describe, expect, it } from 'vitest';
import { distance } from '../packages/testing/src/apply-term.js';

const experiment: Experiment = {
  task: { use: 'div', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1, heads: 1 } },
  optimizer: { use: 'adamw', options: { learningRate: 1e-2 } },
  batch: 10, // all training rows: one step per epoch
  epochs: 6,
  seed: 1,
};

const makeRegistry = (...more: Plugin[]) =>
  createRegistry([data, model, optim, logit, feature, wasm, onnx, ...more]);

async function run(
  changes: Partial<Experiment>,
  {
    backend = 'wasm',
    plugins = [],
    teacherStores = {},
  }: {
    backend?: string;
    plugins?: readonly Plugin[];
    teacherStores?: Readonly<Record<string, Store>>;
  } = {},
): Promise<RunResult & { store: Store }> {
  const spec = { experiment: { ...experiment, ...changes }, execution: { backend, threads: 1 } };
  const store = memoryStore();
  const host = { registry: makeRegistry(...plugins), store, teacherStores };
  return { store, ...(await startRun(spec, host)) };
}
async function finalParams(changes: Partial<Experiment>, backend?: string): Promise<HostParams> {
  const { store } = await run(changes, backend === undefined ? {} : { backend });
  const { checkpoint } = await newestCheckpoint(store);
  return checkpoint?.params ?? {};
}
const withoutTime = (rows: readonly MetricsRow[]) => rows.map(({ time: _, ...row }) => row);

describe('the weight of a term', () => {
  it('may be a schedule over steps (catches: a weight read only once, steps counted from 1)', async () => {
    const weight = { schedule: 'linear', from: 1, to: 0, begin: 1, steps: 4 } as const;
    const { history } = await run({ objective: [{ use: 'hard', weight }] });
    const weights = history.map(({ train, terms: { hard = Number.NaN } }) => train.loss / hard);
    [1, 1, 0.75, 0.5, 0.25, 0].forEach((wanted, i) => {
      expect(weights[i]).toBeCloseTo(wanted, 5);
    });
  });

  it('is constant when both ends are equal (catches: a schedule that multiplies twice)', async () => {
    const weight = { schedule: 'cosine', from: 0.5, to: 0.5, steps: 3 } as const;
    const scheduled = await run({ objective: [{ use: 'hard', weight }] });
    const constant = await run({ objective: [{ use: 'hard', weight: 0.5 }] });
    expect(withoutTime(scheduled.history)).toEqual(withoutTime(constant.history));
    expect(scheduled.manifest.paramsSha256).toBe(constant.manifest.paramsSha256);
  });

  it('is refused by its key if it is invalid (catches: steps 0, a misspelled name)', async () => {
    const weight = { schedule: 'linear', from: 1, to: 0, steps: 0 } as const;
    await expect(run({ objective: [{ use: 'hard', weight }] })).rejects.toThrow(
      /objective\.0\.weight/,
    );
  });

  it('is in the schema of specifications (catches: errors under a valid file)', () => {
    expect(JSON.stringify(buildSpecSchema(makeRegistry()))).toContain('"enum":["linear","cosine"]');
  });
});

describe('parameter groups', () => {
  const group = (match: string, own: Record<string, number>) => ({
    optimizer: { ...experiment.optimizer, groups: [{ match, options: own }] },
  });

  it('with equal options change no bit (catches: state or updates applied to another parameter)', async () => {
    const plain = await run({});
    const grouped = await run(group('blocks.*', {}));
    expect(grouped.manifest.paramsSha256).toBe(plain.manifest.paramsSha256);
  });

  it('with equal options change nothing on onnx either, except the order of sums', async () => {
    // Catches: an output that is a graph input; a donated tensor read after its end.
    const plain = await finalParams({}, 'onnx');
    const grouped = await finalParams(group('blocks.*', {}), 'onnx');
    expect(Object.keys(grouped)).toEqual(Object.keys(plain));
    for (const [name, { data: values }] of Object.entries(plain))
      expect(distance(grouped[name]?.data ?? [], values)).toBeLessThan(1e-6);
  });

  it('have their own options (catches: a group that changes everything, or nothing)', async () => {
    const still = { learningRate: 0 };
    const initial = await finalParams({ epochs: 1, freeze: ['embed.*', 'blocks.*'] });
    const params = await finalParams(group('embed.*', still));
    expect(params['embed.W_E']).toEqual(initial['embed.W_E']);
    expect(params['unembed.W_U']).not.toEqual(initial['unembed.W_U']);
    const first = await finalParams({
      optimizer: {
        ...experiment.optimizer,
        groups: [
          { match: 'embed.W_E', options: {} },
          { match: '*', options: still },
        ],
      },
    });
    expect(first['embed.W_E']).not.toEqual(initial['embed.W_E']);
    expect(first['blocks.0.attn.W_Q']).toEqual(initial['blocks.0.attn.W_Q']);
  });

  it('resume to the same bits (catches: state stored under another name)', async () => {
    const grouped = { ...group('embed.*', { weightDecay: 0 }), freeze: ['unembed.*'] };
    const whole = await run(grouped);
    const store = memoryStore();
    const stop = new AbortController();
    const spec = { experiment: { ...experiment, ...grouped }, execution: { backend: 'wasm' } };
    const host = { registry: makeRegistry(), store };
    const listeners = [({ type }: { type: string }) => type === 'epoch' && stop.abort()];
    await startRun(spec, { ...host, signal: stop.signal, listeners });
    const { status, manifest } = await startRun(spec, host);
    expect(status).toBe('finished');
    expect(manifest.paramsSha256).toBe(whole.manifest.paramsSha256);
  });

  it.each([
    [group('embed.W_X', {}), /unknown parameter of an optimizer group "embed.W_X".*embed\.W_E/],
    [group('embed.*', { weightDecoy: 0 }), /unknown option "weightDecoy": did you mean/],
    [{ freeze: ['block.*'] }, /unknown parameter to freeze "block\.\*"/],
    [{ freeze: ['*'] }, /must leave at least one parameter to train/],
  ])('are refused when they match nothing: %j', async (changes, message) => {
    // Catches: a misspelled pattern that freezes nothing.
    await expect(run(changes)).rejects.toThrow(message);
  });
});

describe('frozen parameters', () => {
  it.each(['wasm', 'onnx'])('keep their initial bits, on %s (catches: decay)', async (backend) => {
    const freeze = ['embed.*', 'blocks.0.attn.W_Q'];
    const early = await finalParams({ epochs: 1, freeze }, backend);
    const late = await finalParams({ epochs: 6, freeze }, backend);
    for (const name of Object.keys(late))
      if (['embed.W_E', 'blocks.0.attn.W_Q'].includes(name))
        expect(late[name]).toEqual(early[name]);
      else expect(late[name]).not.toEqual(early[name]);
  });
});

/** Rounds weights to multiples of 1/8 on read; gradients pass straight through. */
const round = defineTransform({
  name: 'round',
  summary: '',
  options: schema({}),
  create: (_, { tf }) => {
    const rounded = tf.customGrad((x) => ({
      value: tf.div(tf.round(tf.mul(x as tf.Tensor, 8)), 8),
      gradFunc: (dy: tf.Tensor) => dy,
    }));
    return (inner) => transformModel(inner, { params: (_name, value) => rounded(value) });
  },
});
const rounding: Plugin = { name: 'r', version: '1.0.0', core: '>=0.1.0', components: [round] };

describe('model transforms', () => {
  it.each(['wasm', 'onnx'])('prune weights permanently, on %s', async (backend) => {
    // Catches: a mask that is trained away, or that the compiled step omits.
    const still = {
      optimizer: { use: 'adamw', options: { learningRate: 1e-2, weightDecay: 0 } },
      transforms: [{ use: 'prune-magnitude', options: { fraction: 0.75, match: 'blocks.*' } }],
    };
    const early = await finalParams({ ...still, epochs: 1 }, backend);
    const late = await finalParams({ ...still, epochs: 6 }, backend);
    const changed = (name: string): number => {
      const [before, after] = [early[name]?.data ?? [], late[name]?.data ?? []];
      return [...after].filter((value, i) => value !== before[i]).length / after.length;
    };
    expect(changed('blocks.0.mlp.W_out')).toBeLessThanOrEqual(0.25);
    expect(changed('blocks.0.mlp.W_out')).toBeGreaterThan(0.1);
    expect(changed('unembed.W_U')).toBeGreaterThan(0.9);
  });

  it('from a plugin apply in training and when the run is read', async () => {
    // Catches: weights rounded in the step but not in evaluation; a zero gradient through rounding.
    const plugins = [rounding];
    const transforms = [{ use: 'round' }];
    const rounded = await run({ transforms }, { plugins });
    const plain = await run({});
    const last = rounded.history.at(-1)?.validation;
    expect(last?.loss).not.toBe(plain.history.at(-1)?.validation.loss);
    const host = { registry: makeRegistry(...plugins), store: rounded.store };
    const read = await evaluateRun(host, 'validation', { backend: 'wasm' });
    expect(read.loss).toBeCloseTo(last?.loss ?? Number.NaN, 6);
    expect(rounded.history.at(-1)?.train.loss).toBeLessThan(rounded.history[0]?.train.loss ?? 0);
    expect(rounded.manifest.versions).toMatchObject({ r: '1.0.0' });
  });

  it('are refused by name when unknown', async () => {
    await expect(run({ transforms: [{ use: 'prune-magnitud' }] })).rejects.toThrow(
      'unknown transform "prune-magnitud": did you mean "prune-magnitude"',
    );
  });
});

describe('a teacher of another task', () => {
  it('needs permission, and reads the student’s rows in its own format', async () => {
    // Catches: sites of rows in the student's token order; a leak across formats that is not
    // detected.
    const { store, manifest } = await run({});
    const { run: id, paramsSha256 = '' } = manifest;
    const other: Partial<Experiment> = {
      task: { use: 'div', options: { p: 5, format: ['b', 'a'] } },
      teachers: { teacher: { run: id, paramsSha256 } },
      objective: [{ use: 'logit' }],
    };
    const teacherStores = { teacher: store };
    await expect(run(other, { teacherStores })).rejects.toThrow(/unless "allowOtherTask" is true/);
    const leave = { ...other, allowOtherTask: true };
    const taught = await run(leave, { teacherStores });
    expect(taught.manifest.leaked).toBeUndefined();
    expect(taught.history).toHaveLength(6);
    await expect(run({ ...leave, splitSeed: 2 }, { teacherStores })).rejects.toThrow(
      /on \d+ of this run's 10 validation rows/,
    );
    const sum = { ...leave, task: { use: 'add', options: { p: 5, format: ['a', 'b'] } } };
    await expect(run(sum, { teacherStores })).rejects.toThrow(
      'its inputs are int32 [4], a row here is int32 [2]',
    );
    const asTheyAre = { ...leave, task: { use: 'sub', options: { p: 5 } }, batch: 12 };
    expect((await run(asTheyAre, { teacherStores })).status).toBe('finished');
  });
});

/** A regularizer, which needs no teacher. */
const shrink = defineStrategy({
  name: 'shrink',
  summary: '',
  options: schema({}),
  create:
    (_, { tf }) =>
    () => ({
      needs: { student: [] },
      loss: ({ param }) => ({ shrink: tf.mean(tf.square(param('unembed.W_U'))) }),
    }),
});
const shrinking: Plugin = { name: 's', version: '1.0.0', core: '>=0.1.0', components: [shrink] };

describe('a control', () => {
  const registry = makeRegistry(shrinking);
  it.each<[boolean, Experiment['objective']]>([
    [true, undefined],
    [true, [{ use: 'hard', options: { precise: true } }]],
    [true, [{ use: 'hard' }, { use: 'shrink', weight: 0.1 }]],
    [false, [{ use: 'hard' }, { use: 'logit' }]],
    [false, [{ use: 'shrink' }, { use: 'feature', options: { layers: { 4: 2 } } }]],
  ])('%s: a run of the terms %j', (control, objective) => {
    // Catches: a regularized run treated as a student; a loss without "hard" treated as one.
    const terms = objective === undefined ? {} : { objective };
    expect(isControl({ ...experiment, ...terms }, registry)).toBe(control);
  });

  it('that is planned with a teacher is refused (catches: waiting for a teacher that it never reads)', () => {
    const objective = [{ use: 'hard' }, { use: 'shrink' }];
    const runs = planRuns([
      { key: 't', experiment },
      {
        key: 's',
        experiment: { ...experiment, objective },
        needs: { teacher: { key: 't', at: 'last' } },
      },
    ]);
    expect(() => preflight(runs, registry, 'p')).toThrow(
      'p, s: none of its terms needs a teacher, so it is a control, and would wait for t',
    );
  });

  it('is any arm of a plan whose terms need no teacher', () => {
    // Catches: a regularized control refused without an explicit "teachers": {}; a different id
    // with it.
    const terms = { objective: [{ use: 'hard' }, { use: 'shrink' }] };
    const plan: Plan = {
      ...{ name: 'p', summary: 'For the test.', teacher: {}, student: {}, seeds: [1] },
      shared: { ...experiment },
      arms: {
        ...{ none: { objective: [{ use: 'hard' }] }, quiet: terms },
        ...{ loud: { ...terms, teachers: {} }, named: { ...terms, teacher: 'teacher' } },
        taught: { objective: [{ use: 'hard' }, { use: 'logit' }] },
        wrong: { objective: [{ use: 'no-such-strategy' }] },
      },
    };
    const { arms } = nameControls(plan, registry);
    expect(arms).toEqual({ ...plan.arms, quiet: { ...terms, teachers: {} } });
    expect(Object.keys(arms)).toEqual(Object.keys(plan.arms));
    const runs = expandPlan({ ...plan, arms });
    expect(runs.find(({ name }) => name === 'quiet')).toEqual({
      ...runs.find(({ name }) => name === 'loud'),
      ...{ name: 'quiet', key: 'quiet@1' },
    });
    const { wrong: _, named: __, quiet: ___, ...explicit } = plan.arms;
    const said = { ...plan, arms: explicit };
    expect(nameControls(said, registry)).toBe(said);
  });
});

/** Difference between the weighted sum of the terms' gradients and the total's, relative to its largest entry. */
const sums = defineProbe({
  name: 'sums',
  summary: '',
  options: schema({}),
  create: () => ({
    needs: { rows: 'train', gradients: { batches: 2, byTerm: true } },
    when: 'end',
    on({ gradients: { total = [], terms = {} } = { hardLoss: [] } }) {
      const weights = new Map([
        ['hard', 0.5],
        ['logit', 1],
        ['feature', 2],
      ]);
      const faults = total.flatMap((batch, i) =>
        Object.entries(batch).map(([name, { data: whole }]) => {
          const sum = [...whole].map((_, at) =>
            Object.entries(terms).reduce(
              (all, [term, found]) =>
                all + (weights.get(term) ?? 0) * (found[i]?.[name]?.data[at] ?? 0),
              0,
            ),
          );
          return distance(sum, whole) / Math.max(...[...whole].map(Math.abs), 1e-6);
        }),
      );
      return { terms: Object.keys(terms), batches: total.length, worst: Math.max(...faults) };
    },
  }),
});
const probing: Plugin = { name: 'p', version: '1.0.0', core: '>=0.1.0', components: [sums] };

describe('a probe', () => {
  it.each(['wasm', 'onnx'])('receives gradients by term, on %s', async (backend) => {
    // Catches: teachers' sites of other rows; a run whose bits depend on what its probes request.
    const { store, manifest } = await run({});
    const { run: id, paramsSha256 = '' } = manifest;
    const student: Partial<Experiment> = {
      teachers: { teacher: { run: id, paramsSha256 } },
      objective: [{ use: 'hard', weight: 0.5 }, { use: 'logit' }, { use: 'feature', weight: 2 }],
      epochs: 2,
    };
    const host = { backend, plugins: [probing], teacherStores: { teacher: store } };
    const probed = await run({ ...student, probes: [{ use: 'sums' }] }, host);
    const bytes = await probed.store.read('analysis/sums-end.json');
    const { result } = JSON.parse(new TextDecoder().decode(bytes));
    expect(result).toMatchObject({ terms: ['hard', 'logit', 'feature'], batches: 2 });
    expect(result.worst).toBeLessThan(1e-4);
    expect(probed.manifest.paramsSha256).toBe((await run(student, host)).manifest.paramsSha256);
  });
});
