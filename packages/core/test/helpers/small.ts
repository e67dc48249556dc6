/** A small task, model, optimizer and backend for core's own tests, covering everything that a run may have. */
import '@tensorflow/tfjs-backend-cpu';
import {
  createRegistry,
  defineBackend,
  defineModel,
  defineOptimizer,
  definePlugin,
  defineProbe,
  defineSplit,
  defineStrategy,
  defineTask,
  type Experiment,
  integer,
  type MetricsRow,
  memoryStore,
  number,
  type Params,
  type Plugin,
  type Registry,
  type RunHost,
  type RunResult,
  rng,
  type Store,
  schema,
  startRun,
  tfjsAdapter,
} from '@grok/core';
import type { Checkpoint } from '@grok/core/internal';
import * as tf from '@grok/tfjs';

/** `a + b` modulo `p`, for all pairs. */
const sum = defineTask({
  name: 'sum',
  summary: 'Sums of two numbers.',
  options: schema({ p: integer().default(5) }),
  create({ p }) {
    const pairs = Array.from({ length: p * p }, (_, i) => [Math.floor(i / p), i % p] as const);
    return {
      vocabulary: p,
      inputs: { shape: [p * p, 2], dtype: 'int32', data: Int32Array.from(pairs.flat()) },
      labels: Int32Array.from(pairs, ([a, b]) => (a + b) % p),
      show: String,
    };
  },
});
/** Trains on two thirds of the rows. */
const shuffled = defineSplit({
  name: 'numpy',
  summary: 'Rows in an order of the seed.',
  options: schema({}),
  create: () => (rows, seed) => {
    const order = rng(seed).split('split').permutation(rows);
    const at = Math.ceil((2 * rows) / 3);
    return { train: order.slice(0, at), validation: order.slice(at) };
  },
});
/** `relu(mean of embeddings) · W`, with dropout in between. */
const bag = defineModel({
  name: 'bag',
  summary: 'A bag of tokens.',
  options: schema({ width: integer().default(6), dropout: number().default(0.2) }),
  create:
    ({ width, dropout }) =>
    ({ vocabulary }) => ({
      shape: { layers: 1, width, heads: 1 },
      keepProbability: 1 - dropout,
      init(random) {
        const draw = (name: string, shape: readonly number[]) => ({
          shape,
          dtype: 'float32' as const,
          data: random.split(name).normal(shape.reduce((a, b) => a * b, 1)),
        });
        return { embed: draw('embed', [vocabulary, width]), out: draw('out', [width, vocabulary]) };
      },
      sites: () => [
        { name: 'hidden', shape: [width], axes: ['d_model'] },
        { name: 'logits', shape: [vocabulary], axes: ['d_vocab'] },
      ],
      dropoutMaskShapes: (batch) => (dropout === 0 ? {} : { hidden: [batch, width] }),
      apply(param, inputs, { masks }) {
        const tokens = tf.gather(param('embed'), tf.cast(inputs, 'int32')); // [batch, 2, width]
        const mean = tf.relu(tf.mean(tokens, 1)); // [batch, width]
        const mask = masks?.hidden;
        const hidden =
          mask === undefined ? mean : tf.div(tf.mul(mean, tf.cast(mask, 'float32')), 1 - dropout);
        return { hidden, logits: tf.matMul(hidden, param('out')) };
      },
    }),
});
/** Gradient descent with momentum: it has state that a resumed run must restore. */
const momentum = defineOptimizer({
  name: 'momentum',
  summary: 'Gradient descent with momentum.',
  options: schema({ learningRate: number().default(0.5) }),
  create({ learningRate }) {
    const map = (f: (name: string) => tf.Tensor, params: Params): Params =>
      Object.fromEntries(Object.keys(params).map((name) => [name, f(name)]));
    const read = (params: Params, name: string): tf.Tensor => {
      const value = params[name];
      if (value === undefined) throw new Error(`no parameter ${name}`);
      return value;
    };
    return {
      elementwise: true,
      init: (params) => ({ velocity: map((name) => tf.zerosLike(read(params, name)), params) }),
      update(grads, state) {
        const old = state.velocity as Params;
        const velocity = map(
          (name) => tf.add(tf.mul(read(old, name), 0.5), read(grads, name)),
          grads,
        );
        const updates = map((name) => tf.mul(read(velocity, name), -learningRate), grads);
        return { updates, state: { velocity } };
      },
    };
  },
});
/** Mean squared distance to the labels, as a loss other than the hard loss. */
const squared = defineStrategy({
  name: 'squared',
  summary: 'Squared distance to one-hot labels.',
  options: schema({}),
  create: () => () => ({
    needs: { student: ['logits'] },
    loss({ student, labels }) {
      const logits = student('logits');
      const target = tf.oneHot(labels, logits.shape.at(-1) ?? 0, 1, 0, 'float32');
      return { squared: tf.mean(tf.squaredDifference(logits, target)) as tf.Scalar };
    },
  }),
});
/** Counts the parameters. */
const count = defineProbe({
  name: 'count',
  summary: 'Counts parameters.',
  options: schema({ every: integer().default(1) }),
  create: ({ every }) => ({
    needs: { sites: ['hidden'] },
    when: { every },
    on: ({ params }) => Object.keys(params).length,
  }),
});
const cpu = defineBackend({
  name: 'cpu',
  summary: 'The plain backend of tfjs.',
  options: schema({}),
  create: () => tfjsAdapter({ tfjs: 'cpu', device: 'cpu', threads: 1, bitExact: true }),
});

const plugin: Plugin = definePlugin({
  name: 'small',
  version: '1.0.0',
  core: '*',
  components: [sum, shuffled, bag, momentum, squared, count, cpu],
});
export const smallRegistry = (...plugins: readonly Plugin[]): Registry =>
  createRegistry([plugin, ...plugins]);
export const registry: Registry = smallRegistry();

/** 17 training rows in batches of 6: three steps per epoch, the last with five rows. */
export const experiment: Experiment & { readonly epochs: number } = {
  task: { use: 'sum' },
  model: { use: 'bag' },
  optimizer: { use: 'momentum' },
  batch: 6,
  epochs: 4,
  seed: 42,
};
export const execution = { backend: 'cpu', checkpointEvery: 1 };

/** Trains the small experiment with changes, in a new or a given store. */
export async function trainSmall(
  changes: object = {},
  { store = memoryStore(), how = {}, ...host }: Partial<RunHost> & { readonly how?: object } = {},
): Promise<RunResult & { readonly store: Store }> {
  const spec = {
    experiment: withoutUndefined({ ...experiment, ...changes }),
    execution: { ...execution, ...how },
  };
  return { store, ...(await startRun(spec, { registry, store, ...host })) };
}
const withoutUndefined = (keys: object): object =>
  Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
/** Changes that set a run's length in steps. */
export const inSteps = (steps: number): object => ({ epochs: undefined, steps });

/** Rows without their times, which differ between equal runs. */
export const withoutTimes = (rows: readonly MetricsRow[]): readonly object[] =>
  rows.map(({ time: _, ...row }) => row);
/** A checkpoint's parameters as arrays. */
export const listParams = ({
  params,
}: Pick<Checkpoint, 'params'>): readonly (readonly number[])[] =>
  Object.values(params).map(({ data }) => [...data]);
