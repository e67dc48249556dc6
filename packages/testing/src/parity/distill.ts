/**
 * Case `distill`: the teacher's sites, then three AdamW steps on the composed objective with the
 * same step function that training compiles. It compares each term before each step, the first
 * step's gradients, and the parameters after each step.
 */
import type {
  Backend,
  HostArray,
  HostParams,
  Model,
  Optimizer,
  OptimizerState,
  Params,
} from '@grok/core';
import {
  type ComposedObjective,
  compose,
  computeLayout,
  describeModel,
  flattenHost,
  freeTree,
  type OnDevice,
  reader,
  readTree,
  type StepInputs,
  trainingStep,
  unflattenHost,
  valueAndGrads,
} from '@grok/core/internal';
import type * as tf from '@grok/tfjs';
import { readAndFree } from '../arrays.js';
import { type OnHost, runOnce, upload } from '../run-once.js';
import { hostArray, type ParityCase } from './case.js';
import { type Find, make } from './features.js';
import { buildModel, inOrder } from './model.js';
import { GRADIENTS, type ParityVerdict, SITES } from './verdict.js';

/** Strategies by their names in the files, with the names here and the stored names of their losses. */
const STRATEGIES = {
  logit: { use: 'logit', loss: 'logit_loss' },
  attention_transfer: { use: 'attention', loss: 'attention_loss' },
  feature_projection: { use: 'feature', loss: 'feature_loss' },
} as const;
type StrategyName = keyof typeof STRATEGIES;
/** A gradient below this only affects the sign of Adam's first steps. */
const TINY = 1e-5;
/** Stored auxiliary parameters belong to the only strategy that has any. */
const EXTRAS = 'extra.feature.';

/** Runs a case of kind `distill`. */
export async function distillCase(
  of: ParityCase,
  backend: Backend,
  find: Find,
  found: ParityVerdict,
): Promise<void> {
  const heads = of.setting<number>('heads');
  const teacher = buildModel(
    of,
    find,
    of.setting('teacher_dim'),
    of.setting('teacher_heads', heads),
  );
  const student = buildModel(
    of,
    find,
    of.setting('student_dim'),
    of.setting('student_heads', heads),
  );
  const used = of.setting<readonly StrategyName[]>('strategies');
  const objective = compose(terms(of, find, used), {
    student: describeModel(student),
    teachers: { teacher: describeModel(teacher) },
  });
  const inputs = hostArray(of.tensor('tokens'));
  const labels = hostArray(of.tensor('labels'));

  const wanted = of.group('teacher/sites/');
  const read = new Set([...Object.keys(wanted), ...(objective.needs.teachers.teacher ?? [])]);
  const teacherParams = { teacher: inOrder(teacher, of.group('teacher/params/'), found) };
  const sites = await runOnce(
    backend,
    `${of.file}: teacher`,
    (x: { params: Params; inputs: tf.Tensor }) =>
      teacher.apply(reader('parameter', x.params), x.inputs, { sites: read }),
    { params: teacherParams.teacher, inputs },
  );
  for (const [site, want] of Object.entries(wanted))
    found.check(`teacher/sites/${site}`, sites[site], want, SITES);

  const params: HostParams = {
    ...inOrder(student, of.group('params/student/'), found),
    ...Object.fromEntries(
      Object.entries(of.group('params/extra/')).map(([name, value]) => [
        EXTRAS + name,
        hostArray(value),
      ]),
    ),
  };
  const needed = new Set(objective.needs.teachers.teacher);
  const given = Object.entries(sites).filter(([site]) => needed.has(site));
  const data = { inputs, labels, teachers: { teacher: Object.fromEntries(given) } };
  await firstGradients(of, backend, { student, objective, params, data, teacherParams }, found);
  await steps(of, backend, { student, objective, params, data, teacherParams, find, used }, found);
}

function terms(
  of: ParityCase,
  find: Find,
  used: readonly StrategyName[],
): Parameters<typeof compose>[0] {
  const alpha = of.setting<number>('alpha');
  const weights: Record<StrategyName, () => number> = {
    logit: () => 1 - alpha,
    attention_transfer: () => of.setting('attention_weight', 1),
    feature_projection: () => of.setting('feature_weight', 1),
  };
  const options = { temperature: of.setting('temperature', 2) };
  return [
    { name: 'hard', weight: alpha, objective: make(find, 'strategy', 'hard') },
    ...used.map((name) => {
      const { use } = STRATEGIES[name];
      const objective = make(find, 'strategy', use, use === 'logit' ? options : {});
      return { name: use, weight: weights[name](), objective };
    }),
  ];
}

interface Setup {
  readonly student: Model;
  readonly objective: ComposedObjective;
  readonly params: HostParams;
  readonly data: OnHost<StepInputs['data']>;
  readonly teacherParams: Readonly<Record<string, HostParams>>;
}
const step = (i: number): HostArray => ({ shape: [], dtype: 'int32', data: Int32Array.of(i) });

async function firstGradients(
  of: ParityCase,
  backend: Backend,
  { student, objective, params, data, teacherParams }: Setup,
  found: ParityVerdict,
): Promise<void> {
  const needs = new Set([...objective.needs.student, 'logits']);
  const out = await runOnce(
    backend,
    `${of.file}: gradients`,
    (x: Pick<StepInputs, 'params' | 'data' | 'step'>) => {
      const { grads } = valueAndGrads((values) => {
        const { total } = objective.loss({
          student: student.apply(reader('parameter', values), x.data.inputs, { sites: needs }),
          teachers: x.data.teachers,
          params: values,
          teacherParams,
          random: {},
          inputs: x.data.inputs,
          labels: x.data.labels,
          step: x.step,
        });
        return { loss: total, aux: {} };
      }, x.params);
      return grads;
    },
    { params, data, step: step(0) },
  );
  for (const [name, want] of Object.entries(of.group('grads/')))
    found.check(`grads/${name}`, out[ownName(name)], want, GRADIENTS);
}

async function steps(
  of: ParityCase,
  backend: Backend,
  setup: Setup & { find: Find; used: readonly StrategyName[] },
  found: ParityVerdict,
): Promise<void> {
  const { student, objective, data, teacherParams, find, used } = setup;
  const rate = of.setting<number>('learning_rate');
  const warmup = of.setting<number>('warmup_steps', 0);
  const [b1, b2] = of.setting<readonly [number, number]>('betas');
  const optimizer = make(find, 'optimizer', 'adamw', {
    learningRate: rate,
    warmup,
    b1,
    b2,
    eps: of.setting('adam_eps', 1e-8),
    weightDecay: of.setting('weight_decay'),
  });
  const layout = computeLayout(setup.params);
  const flat: HostArray = {
    shape: [layout.size],
    dtype: 'float32',
    data: flattenHost(setup.params),
  };
  const start: Record<string, HostArray> = optimizer.elementwise ? { flat } : { ...setup.params };
  const params = upload<Params>(backend, start);
  let at: OnDevice<Pick<StepInputs, 'params' | 'state'>> = {
    params,
    state: await initialState(backend, optimizer, params),
  };
  const fixed = upload<Pick<StepInputs, 'data' | 'rows' | 'masks' | 'random'>>(backend, {
    data,
    rows: {},
    masks: {},
    random: {},
  });
  const fn = trainingStep({ model: student, objective, optimizer, layout, teacherParams });
  const given = (i: number): OnDevice<StepInputs> => ({
    ...at,
    ...fixed,
    step: backend.upload(Int32Array.of(i), [], 'int32'),
  });
  const first = given(0);
  const program = await backend.compile(`${of.file}: step`, fn, first, {
    donate: ['params', 'state'],
  });
  backend.free(first.step);

  let rates = 0;
  for (let i = 0; i < of.setting<number>('steps'); i++) {
    const inputs = given(i);
    const { params: next, state, ...logged } = await program.run(inputs);
    at = { params: next, state };
    backend.free(inputs.step);
    const scalars = await readAndFree(backend, logged);
    const name = `step${i + 1}`;
    const losses: Record<string, string> = { loss: 'loss', hard_ce: 'terms/hard' };
    for (const strategy of used)
      losses[STRATEGIES[strategy].loss] = `terms/${STRATEGIES[strategy].use}`;
    for (const [stored, path] of Object.entries(losses))
      found.check(`${name}/${stored}`, scalars[path], of.tensor(`${name}/${stored}`), SITES);

    rates += rate * (warmup === 0 ? 1 : Math.min(i / warmup, 1));
    const { flat: vector, ...named } = await readTree(backend, at.params);
    const now = vector?.data instanceof Float32Array ? unflattenHost(vector.data, layout) : named;
    for (const [key, want] of Object.entries(of.group(`${name}/params/`))) {
      const gradient = of.tensor(`grads/${key}`).data;
      found.check(`${name}/params/${key}`, now[ownName(key)], want, (entry) => ({
        absolute: Math.abs(Number(gradient[entry])) > TINY ? 2e-5 : rates,
      }));
    }
  }
  program.dispose();
  for (const tree of [at, fixed]) freeTree(backend, tree);
}

/** Converts `student/x` and `extra/x` in the files to the names in the step. */
function ownName(name: string): string {
  return name.startsWith('extra/')
    ? EXTRAS + name.slice('extra/'.length)
    : name.slice('student/'.length);
}

async function initialState(
  backend: Backend,
  optimizer: Optimizer,
  params: OnDevice<Params>,
): Promise<OnDevice<OptimizerState>> {
  const program = await backend.compile(
    'optimizer.init',
    (x: { params: Params }) => ({ state: optimizer.init(x.params) }),
    { params },
  );
  const { state } = await program.run({ params });
  program.dispose();
  return state;
}
