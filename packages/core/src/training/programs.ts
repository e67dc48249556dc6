/** Everything a run puts on its backend before the first step: data, parameters, state and compiled programs. */
import type * as tf from '@grok/tfjs';
import type {
  Backend,
  HostArray,
  HostParams,
  OnDevice,
  Optimizer,
  OptimizerState,
  Params,
  Program,
  Signature,
} from '../contracts/types.js';
import { createMaskBuffer } from '../tensors/mask-kernel.js';
import { flattenHost, type Layout, reader, sizeOf, unflattenHost } from '../tensors/params.js';
import { rng } from '../tensors/rng.js';
import { ranges, takeRows } from '../tensors/rows.js';
import { readTree, uploadTree } from '../tensors/tree.js';
import type { Batches } from './budget.js';
import { toArrays } from './run-in-batches.js';
import { computeSites, EVAL_ROWS } from './sites.js';
import {
  type Batch,
  type EvalInputs,
  evaluation,
  type StepInputs,
  type StepOutputs,
  trainingStep,
} from './step.js';
import { needsTrainEval } from './stopping.js';
import type { Training } from './training.js';

/** One training step over a fixed number of rows. */
export type StepProgram = Program<StepInputs, StepOutputs>;
/** One evaluation over a fixed number of rows. */
export type EvalProgram = Program<EvalInputs, { loss: tf.Scalar; correct: tf.Scalar }>;
/** A run's programs, by number of rows. */
export interface Programs {
  readonly steps: ReadonlyMap<number, { readonly program: StepProgram; readonly masks: Masks }>;
  readonly evaluations: ReadonlyMap<number, EvalProgram>;
}
/** Reused arrays for the masks, by name: allocating millions of values costs more than drawing them. */
export type Masks = Readonly<Record<string, HostArray & { readonly data: Uint8Array }>>;
/** Parameters on a backend: one vector named `flat`, or one tensor each. */
export type DeviceParams = OnDevice<Params>;

/** Rows with the teachers' sites for them, on the host. */
export type BatchArrays = {
  readonly inputs: HostArray;
  readonly labels: HostArray;
  readonly teachers: Readonly<Record<string, HostParams>>;
};
/** The training rows, and batches for evaluation on the device. */
export interface Data {
  readonly train: BatchArrays;
  /** The same data on the device, if it may stay there. */
  readonly resident?: OnDevice<Batch>;
  readonly validation: readonly EvalBatch[];
  /** Evaluation batches of the training rows, if the run asks for them; otherwise empty. */
  readonly trainEval: readonly EvalBatch[];
}
/** Rows for evaluation, on the device. */
export interface EvalBatch {
  readonly rows: number;
  readonly tensors: OnDevice<Omit<EvalInputs, 'params'>>;
}

/** Gathers the training rows, computes the teachers' sites for them, and uploads what may stay on the device. */
export async function loadData(run: Training): Promise<Data> {
  const { backend, task, split } = run;
  const { labels } = toArrays(task);
  const inputs = takeRows(task.inputs, split.train);
  const teachers: Record<string, HostParams> = {};
  for (const [name, sites] of Object.entries(run.objective.needs.teachers)) {
    const teacher = reader('teacher', run.teachers)(name);
    const own = teacher.inputs === undefined ? inputs : takeRows(teacher.inputs, split.train);
    teachers[name] = await computeSites(backend, teacher, sites, own);
  }
  const train = { inputs, labels: takeRows(labels, split.train), teachers };
  const uploadBatches = (all: Int32Array): readonly EvalBatch[] =>
    ranges(all.length, EVAL_ROWS).map(([start, end]) => {
      const rows = all.subarray(start, end);
      const batch = { inputs: takeRows(task.inputs, rows), labels: takeRows(labels, rows) };
      return { rows: end - start, tensors: uploadTree(backend, batch) };
    });
  return {
    train,
    ...(backend.capabilities.residentInputs ? { resident: uploadTree(backend, train) } : {}),
    validation: uploadBatches(split.validation),
    trainEval: needsTrainEval(run) ? uploadBatches(split.train) : [],
  };
}

/** Takes the rows of a batch on the host, for data that does not stay on the device. */
export function takeBatch({ inputs, labels, teachers }: BatchArrays, at: Int32Array): BatchArrays {
  const take = (params: HostParams): HostParams =>
    Object.fromEntries(Object.entries(params).map(([site, value]) => [site, takeRows(value, at)]));
  return {
    inputs: takeRows(inputs, at),
    labels: takeRows(labels, at),
    teachers: Object.fromEntries(
      Object.entries(teachers).map(([name, sites]) => [name, take(sites)]),
    ),
  };
}

/** The order of the training rows in an epoch, counted from 1. */
export function orderRows(
  { seed, split }: Pick<Training, 'seed' | 'split'>,
  epoch: number,
): Int32Array {
  return rng(seed).split('order').split(epoch).permutation(split.train.length);
}

/** A step's inputs other than parameters, state and data: its number, its rows, and all random values. */
export type DrawnInputs = {
  readonly step: HostArray;
  readonly rows: { readonly at?: HostArray };
  readonly masks: HostParams;
  readonly random: Readonly<Record<string, HostParams>>;
};
/** Allocates the masks of a step over `rows` rows. */
function createMasks({ model }: Training, rows: number): Masks {
  const masks = Object.entries(model.dropoutMaskShapes(rows)).map(([name, shape]) => {
    const mask = { shape, dtype: 'bool' as const, data: createMaskBuffer(sizeOf(shape)) };
    return [name, mask] as const;
  });
  return Object.fromEntries(masks);
}

/** Draws the inputs of one step, in the order and shapes of the step's signature; masks are written in place. */
export function drawStepInputs(
  run: Training,
  data: Data,
  at: Int32Array,
  step: number,
  masks: Masks,
): DrawnInputs {
  const root = rng(run.seed);
  const dropout = root.split('dropout').split(step);
  for (const [name, { data }] of Object.entries(masks))
    dropout.split(name).bernoulli(data.length, run.model.keepProbability, data);
  const rows = at.map((i) => run.split.train[i] ?? i);
  return {
    step: { shape: [], dtype: 'int32', data: Int32Array.of(step) },
    rows:
      data.resident === undefined
        ? {}
        : { at: { shape: [at.length], dtype: 'int32', data: Int32Array.from(at) } },
    masks,
    random: run.objective.randomInputs(root.split('draws'), step, rows),
  };
}

/** Compiles the step and the evaluation once per batch size. */
export async function compilePrograms(
  run: Training,
  { size }: Batches,
  layout: Layout,
  on: { params: DeviceParams; state: OnDevice<OptimizerState>; data: Data },
): Promise<Programs> {
  const { backend, model, objective, optimizer } = run;
  const { params, state, data } = on;
  const steps = new Map<number, { program: StepProgram; masks: Masks }>();
  const teacherParams = Object.fromEntries(
    Object.entries(run.teachers).map(([name, teacher]) => [name, teacher.params]),
  );
  const fn = trainingStep({ model, objective, optimizer, layout, teacherParams });
  for (const rows of new Set([size, run.split.train.length % size || size])) {
    const at = new Int32Array(rows);
    const masks = createMasks(run, rows);
    const inputs = drawStepInputs(run, data, at, 0, masks);
    const batch = data.resident ?? takeBatch(data.train, at);
    const signature: Signature<StepInputs> = { params, state, ...inputs, data: batch };
    const options = { donate: ['params', 'state'] as const };
    const program = await backend.compile(`train-${rows}`, fn, signature, options);
    steps.set(rows, { program, masks });
  }
  const evaluations = new Map<number, EvalProgram>();
  const evaluate = evaluation({ model, layout, flat: optimizer.elementwise });
  for (const { rows, tensors } of [...data.validation, ...data.trainEval]) {
    const signature: Signature<EvalInputs> = { params, ...tensors };
    if (!evaluations.has(rows))
      evaluations.set(rows, await backend.compile(`eval-${rows}`, evaluate, signature));
  }
  return { steps, evaluations };
}

/** Finds the program for a number of rows. @throws RangeError when none was compiled. */
export function findProgram<P>(programs: ReadonlyMap<number, P>, rows: number): P {
  const program = programs.get(rows);
  if (program === undefined) throw new RangeError(`no program was compiled for ${rows} rows`);
  return program;
}

/** Uploads parameters: one vector `flat`, or one tensor each. */
export function uploadParams(
  backend: Backend,
  params: HostParams,
  layout: Layout,
  flat: boolean,
): DeviceParams {
  if (flat) return { flat: backend.upload(flattenHost(params), [layout.size], 'float32') };
  return uploadTree(backend, params);
}

/** The inverse of `uploadParams`. */
export async function readParams(
  backend: Backend,
  params: DeviceParams,
  layout: Layout,
  flat: boolean,
): Promise<HostParams> {
  const read = await readTree(backend, params);
  if (!flat) return read;
  return unflattenHost(Float32Array.from(reader('parameter', read)('flat').data), layout);
}

/** Runs the optimizer's `init` as a compiled program; its outputs are the state's signature. */
export async function initializeState(
  backend: Backend,
  optimizer: Optimizer,
  params: DeviceParams,
): Promise<OnDevice<OptimizerState>> {
  const program = await backend.compile<{ params: Params }, { state: OptimizerState }>(
    'optimizer.init',
    (inputs) => ({ state: optimizer.init(inputs.params) }),
    { params },
  );
  const { state } = await program.run({ params });
  program.dispose();
  return state;
}
