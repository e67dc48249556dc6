/** One deliberately faulty model or optimizer for each fault that the suites must find, and correct ones. */
import { type Model, type ModelFactory, type Optimizer, unknownName } from '@grok/core';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { f32, modelSuite, optimizerSuite } from '../../src/index.js';

tf.env().set('IS_TEST', true);

/** The mean embedding of the tokens, unembedded. */
const bag =
  (change: (sound: Model) => Partial<Model> = () => ({})): ModelFactory =>
  ({ vocabulary }) => {
    const known = ['pooled', 'logits'];
    const sound: Model = {
      shape: { layers: 0, width: 5, heads: 1 },
      keepProbability: 1,
      dropoutMaskShapes: () => ({}),
      sites: () => [
        { name: 'pooled', shape: [5], axes: ['d_model'] },
        { name: 'logits', shape: [vocabulary], axes: ['d_vocab'] },
      ],
      init: (rng) => ({
        E: f32([vocabulary, 5], rng.split('E').normal(vocabulary * 5)),
        U: f32([5, vocabulary], rng.split('U').normal(vocabulary * 5)),
      }),
      apply(params, inputs, { sites, taps = {} }) {
        for (const site of sites) if (!known.includes(site)) throw unknownName('site', site, known);
        const tap = (site: string, value: tf.Tensor): tf.Tensor => taps[site]?.(value) ?? value;
        const x = tf.oneHot(tf.cast(inputs, 'int32'), vocabulary, 1, 0, 'float32');
        const pooled = tap('pooled', tf.matMul(tf.mean(x, 1), params('E'))); // [batch, 5]
        const all = { pooled, logits: tap('logits', tf.matMul(pooled, params('U'))) };
        return Object.fromEntries(Object.entries(all).filter(([site]) => sites.has(site)));
      },
    };
    return { ...sound, ...change(sound) };
  };
type Apply = Model['apply'];
const logits = (change: (value: tf.Tensor, apply: Parameters<Apply>) => tf.Tensor): ModelFactory =>
  bag((sound) => ({
    apply(...given) {
      const sites = sound.apply(...given);
      return sites.logits === undefined ? sites : { ...sites, logits: change(sites.logits, given) };
    },
  }));

modelSuite('sound', bag());
modelSuite(
  'dicing',
  bag((sound) => ({ init: (rng) => sound.init(rng.split(Math.random())) })),
);
modelSuite(
  'misdeclared',
  bag(() => ({
    sites: () => [
      { name: 'pooled', shape: [1, 5], axes: ['pos', 'd_model'] },
      { name: 'logits', shape: [7], axes: ['d_vocab'] },
    ],
  })),
);
modelSuite(
  'nameless axes',
  bag(() => ({
    sites: () => [
      { name: 'pooled', shape: [5], axes: [] },
      { name: 'logits', shape: [7], axes: ['d_vocab'] },
    ],
  })),
);
modelSuite(
  'shortcut',
  logits((value, [, , { sites }]) => (sites.size === 1 ? tf.mul(value, 1.1) : value)),
);
modelSuite(
  'mute',
  bag((sound) => ({
    apply: (params, inputs, how) =>
      sound.apply(params, inputs, { ...how, sites: new Set(['pooled', 'logits']) }),
  })),
);
modelSuite(
  'mixing',
  logits((value) => tf.sub(value, tf.mean(value, 0, true))),
);
modelSuite(
  'slope',
  logits((value) =>
    tf.customGrad((...args) => ({
      value: tf.clone(args[0] as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, 2),
    }))(value),
  ),
);
modelSuite(
  'untapped',
  bag((sound) => ({
    apply: (params, inputs, { sites }) => sound.apply(params, inputs, { sites }),
  })),
);
modelSuite(
  'always-dropping',
  logits((value) => tf.mul(value, Math.random())),
);
modelSuite(
  'keeping',
  logits((value) => tf.keep(tf.clone(value))),
);

const sgd = (
  rate = 0.1,
  map: (grad: tf.Tensor, param: tf.Tensor) => tf.Tensor = (grad) => grad,
): Optimizer => ({
  elementwise: true,
  init: () => ({ count: tf.scalar(0, 'int32') }),
  update: (grads, state, params) => ({
    updates: Object.fromEntries(
      Object.entries(params).map(([name, param]): [string, tf.Tensor] => {
        const { [name]: grad = tf.zerosLike(param) } = grads;
        return [name, tf.mul(map(grad, param), -rate)];
      }),
    ),
    state: { count: tf.add(state.count as tf.Tensor, tf.scalar(1, 'int32')) },
  }),
});
optimizerSuite('sound', sgd());
optimizerSuite('counting-in-float', {
  ...sgd(),
  update: (grads, state, params) => ({
    ...sgd().update(grads, state, params),
    state: { count: tf.add(state.count as tf.Tensor, 1) },
  }),
});
optimizerSuite(
  'dividing',
  sgd(0.1, (grad) => tf.div(grad, tf.sqrt(tf.square(grad)))),
);
let calls = 0;
optimizerSuite(
  'impure',
  sgd(0.01, (grad) => tf.mul(grad, 1 + ++calls / 10)),
);
optimizerSuite(
  'keeping',
  sgd(0.1, (grad) => tf.keep(tf.clone(grad))),
);
optimizerSuite('uphill', sgd(-0.1));
optimizerSuite(
  'by-norm',
  sgd(0.01, (grad) => tf.div(grad, tf.add(tf.norm(grad), 1e-6))),
);
