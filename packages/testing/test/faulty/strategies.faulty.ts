/** One deliberately faulty strategy for each fault that the suite must find, and a correct one. */
import '@tensorflow/tfjs-backend-cpu';
import {
  type ComponentDefinition,
  defineStrategy,
  type HostArray,
  number,
  type Objective,
  schema,
} from '@grok/core';
import * as tf from '@grok/tfjs';
import { strategySuite } from '../../src/index.js';

tf.env().set('IS_TEST', true);

const site = 'logits';
type Loss = (student: tf.Tensor, teacher: tf.Tensor, auxiliary: tf.Tensor) => tf.Tensor;
/** Mean squared error of the logits, or another loss on them. */
function strategy(loss: Loss, auxiliary?: () => Record<string, HostArray>): Objective {
  return ({ teachers }) => {
    if (teachers.teacher === undefined) throw new Error('needs a teacher');
    return {
      needs: { student: [site], teachers: { teacher: [site] } },
      ...(auxiliary === undefined ? {} : { auxiliaryParams: auxiliary }),
      loss: (on) => {
        const value = loss(
          on.student(site),
          on.teacher(site),
          auxiliary === undefined ? tf.scalar(1) : on.auxiliary('w'),
        );
        return { value: value as tf.Scalar };
      },
    };
  };
}
const squared: Loss = (s, t) => tf.mean(tf.square(tf.sub(s, t)));

const sound = defineStrategy({
  name: 'sound',
  summary: 'Mean squared error of logits.',
  options: schema({ scale: number().positive().default(1) }),
  create: ({ scale }) => strategy((s, t, e) => tf.mul(squared(s, t, e), scale)),
});
strategySuite('sound', sound, { refuses: [{ scale: 0 }] });

/** The loss with a weight that depends on the step. */
const weighted =
  (weigh: (step: tf.Tensor) => tf.Tensor): Objective =>
  (models) => {
    const term = strategy(squared)(models);
    return {
      ...term,
      loss: (on) => {
        const { value = tf.scalar(0) } = term.loss(on);
        return { value: tf.mul(value, weigh(tf.cast(on.step, 'float32'))) };
      },
    };
  };
strategySuite(
  'warming',
  weighted((step) => tf.minimum(tf.div(step, 100), 1)),
);
strategySuite(
  'cooling',
  weighted((step) => tf.maximum(tf.sub(1, tf.div(step, 100)), 0)),
);
strategySuite(
  'silent',
  weighted((step) => tf.mul(step, 0)),
);
strategySuite(
  'bursting',
  weighted((step) => tf.sqrt(tf.sub(500, step))),
);

strategySuite(
  'timing',
  strategy((s, t, e) => tf.mul(squared(s, t, e), performance.now())),
);

strategySuite(
  'nan',
  strategy((s, t) => tf.mean(tf.log(tf.sub(s, t)))),
  { zeroWhenEqual: false },
);

const doubled = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((...args) => ({
    value: tf.clone(args[0] as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, 2),
  }))(x);
strategySuite(
  'slope',
  strategy((s, t, e) => doubled(squared(s, t, e))),
);

let calls = 0;
strategySuite(
  'counting',
  strategy((s, t, e) => tf.mul(squared(s, t, e), ++calls)),
);

strategySuite(
  'keeping',
  strategy((s, t) => tf.mean(tf.square(tf.keep(tf.sub(s, t))))),
);

strategySuite(
  'dicing',
  strategy(
    (s, t, w) => tf.mul(squared(s, t, w), tf.mean(w)),
    () => ({ w: { shape: [2], dtype: 'float32', data: Float32Array.of(Math.random(), 1) } }),
  ),
);

strategySuite('crossed', ({ teachers }) => {
  if (teachers.teacher === undefined) throw new Error('needs a teacher');
  const [mine, theirs] = ['blocks.0.hook_resid_post', 'blocks.1.hook_resid_post'] as const;
  return {
    needs: { student: [mine], teachers: { teacher: [theirs] } },
    loss: ({ student, teacher }) => ({
      value: tf.mean(tf.sub(student(mine), tf.mean(teacher(theirs)))),
    }),
  };
});

strategySuite('crashing', (models) => {
  const last = models.teachers.teacher!.sites.at(-1)!;
  return {
    ...strategy(squared)(models),
    needs: { student: [site], teachers: { teacher: [last.name] } },
  };
});

const lax: ComponentDefinition<'strategy'> = {
  kind: 'strategy',
  name: 'lax',
  summary: 'Takes any option.',
  options: { type: 'object' },
  create: () => strategy(squared),
};
strategySuite('lax', lax, { refuses: [{ scale: 0 }] });

const unwritable: ComponentDefinition<'strategy'> = {
  kind: 'strategy',
  name: 'unwritable',
  summary: 'Its options hold a function.',
  options: {
    '~standard': { version: 1, vendor: 'test', validate: () => ({ value: { f: () => 1 } }) },
    jsonSchema: { type: 'object', properties: {}, additionalProperties: false },
  },
  create: () => strategy(squared),
};
strategySuite('unwritable', unwritable);

strategySuite('nameless', { ...lax, name: 'No Name', summary: '' });
