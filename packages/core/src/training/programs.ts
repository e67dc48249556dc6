/** What a run puts on its backend before the first step: data, parameters, state and compiled programs. */
import type * as tf from '@grok/tfjs';
import type {
  Backend,
  DeviceTensor,
  HostArray,
  HostParams,
  OnDevice,
  Optimizer,
  OptimizerState,
  Params,
  Program,
  Signature,
  Tree,
} from '../contracts/types.js';
import { createMaskBuffer } from '../tensors/mask-kernel.js';
import { flattenHost, type Layout, reader, sizeOf, unflattenHost } from '../tensors/params.js';
import { rng } from '../tensors/rng.js';
import { ranges, takeRows } from '../tensors/rows.js';
import { readTree, uploadTree } from '../tensors/tree.js';
import { arraysOf } from './run-in-batches.js';
import { computeSites, EVAL_ROWS } from './sites.js';
import {
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

/** The training rows with the teachers' sites for them, and validation batches on the device. */
export interface Data {
  readonly train: { inputs: HostArray; labels: HostArray; teachers: Record<string, HostParams> };
  /** The same on the device, where it may stay there; else empty. */
  readonly resident: Tree<DeviceTensor>;
  readonly validation: readonly EvalBatch[];
  /** The training rows in the same way, where `stop` or `require` ask for them; else empty. */
  readonly trainEval: readonly EvalBatch[];
}
/** Rows to be judged, on the device. */
export interface EvalBatch {
  readonly rows: number;
  readonly tensors: { inputs: DeviceTensor; labels: DeviceTensor };
}

/** Gathers the training rows, computes the teachers' sites for them, and uploads what may stay. */
export async function loadData(run: Training): Promise<Data> {
  const { backend, task, split } = run;
  const { labels } = arraysOf(task);
  const inputs = takeRows(task.inputs, split.train);
  const teachers: Record<string, HostParams> = {};
  for (const [name, sites] of Object.entries(run.objective.needs.teachers)) {
    const teacher = reader('teacher', run.teachers)(name);
    const own = teacher.inputs === undefined ? inputs : takeRows(teacher.inputs, split.train);
    teachers[name] = await computeSites(backend, teacher, sites, own);
  }
  const train = { inputs, labels: takeRows(labels, split.train), teachers };
  const evalBatches = (of: Int32Array): readonly EvalBatch[] =>
    ranges(of.length, EVAL_ROWS).map(([start, end]) => {
      const rows = of.subarray(start, end);
      const batch = { inputs: takeRows(task.inputs, rows), labels: takeRows(labels, rows) };
      return { rows: end - start, tensors: uploadTree(backend, batch) as never };
    });
  return {
    train,
    resident: backend.capabilities.residentInputs ? uploadTree(backend, train) : {},
    validation: evalBatches(split.validation),
    trainEval: needsTrainEval(run) ? evalBatches(split.train) : [],
  };
}

/**
 * Host arrays of one step, in the order and shape that the step's signature has. Masks are drawn into
 * `rooms`, by name and length, again and again: fresh memory for millions of them costs more than drawing.
 */
export function stepInputs(
  run: Training,
  data: Data,
  at: Int32Array,
  step: number,
  rooms: Map<string, Uint8Array> = new Map(),
): { host: Tree<HostArray>; resident: boolean } {
  const root = rng(run.seed);
  const resident = run.backend.capabilities.residentInputs;
  const dropout = root.split('dropout').split(step);
  const masks = Object.fromEntries(
    Object.entries(run.model.dropoutMaskShapes(at.length)).map(([name, shape]) => {
      const size = sizeOf(shape);
      const key = `${name} ${size}`;
      const room = rooms.get(key) ?? createMaskBuffer(size);
      rooms.set(key, room);
      const values = dropout.split(name).bernoulli(size, run.model.keepProbability, room);
      return [name, { shape, dtype: 'bool' as const, data: values }];
    }),
  );
  const rows = at.map((i) => run.split.train[i]!);
  const sliced = (tree: object): Tree<HostArray> =>
    Object.fromEntries(
      Object.entries(tree as Tree<HostArray>).map(([key, node]) => [
        key,
        'dtype' in node ? takeRows(node as HostArray, at) : sliced(node),
      ]),
    );
  return {
    resident,
    host: {
      step: { shape: [], dtype: 'int32', data: Int32Array.of(step) },
      rows: resident
        ? { at: { shape: [at.length], dtype: 'int32', data: Int32Array.from(at) } }
        : {},
      masks,
      random: run.objective.randomInputs(root.split('draws'), step, rows),
      ...(resident ? {} : { data: sliced(data.train) }),
    },
  };
}

/** Compiles the step and the evaluation once per number of rows that they meet. */
export async function compileAll(
  run: Training,
  layout: Layout,
  at: { params: Tree<DeviceTensor>; state: Tree<DeviceTensor>; data: Data },
): Promise<{
  steps: ReadonlyMap<number, StepProgram>;
  evals: ReadonlyMap<number, EvalProgram>;
}> {
  const { backend, model, objective, optimizer } = run;
  const rows = run.split.train.length;
  const sizes = new Set([Math.min(run.batch, rows), rows % run.batch || run.batch]);
  const steps = new Map<number, StepProgram>();
  const teacherParams = Object.fromEntries(
    Object.entries(run.teachers).map(([name, { params }]) => [name, params]),
  );
  const fn = trainingStep({ model, objective, optimizer, layout, teacherParams });
  for (const size of [...sizes].filter((n) => n <= rows)) {
    const { host, resident } = stepInputs(run, at.data, new Int32Array(size), 0);
    const signature = {
      params: at.params,
      state: at.state,
      ...host,
      ...(resident ? { data: at.data.resident } : {}),
    } as unknown as Signature<StepInputs>;
    const options = { donate: ['params', 'state'] as const };
    steps.set(size, await backend.compile(`train-${size}`, fn, signature, options));
  }
  const evals = new Map<number, EvalProgram>();
  const judge = evaluation({ model, layout, flat: optimizer.elementwise });
  for (const { rows: size, tensors } of [...at.data.validation, ...at.data.trainEval])
    if (!evals.has(size))
      evals.set(
        size,
        await backend.compile(`eval-${size}`, judge, {
          params: at.params,
          ...tensors,
        } as unknown as Signature<EvalInputs>),
      );
  return { steps, evals };
}

/** Parameters to the device: one vector `flat`, or one tensor each. */
export function uploadParams(
  backend: Backend,
  params: HostParams,
  layout: Layout,
  flat: boolean,
): Tree<DeviceTensor> {
  if (flat) return { flat: backend.upload(flattenHost(params), [layout.size], 'float32') };
  return uploadTree(backend, params);
}

/** The inverse of `uploadParams`. */
export async function readParams(
  backend: Backend,
  params: Tree<DeviceTensor>,
  layout: Layout,
  flat: boolean,
): Promise<HostParams> {
  const read = await readTree(backend, params);
  return flat ? unflattenHost(read.flat!.data as Float32Array, layout) : read;
}

/** Runs the optimiser's `init`, itself a compiled program; its outputs are the state's signature. */
export async function initialState(
  backend: Backend,
  optimizer: Optimizer,
  params: Tree<DeviceTensor>,
): Promise<Tree<DeviceTensor>> {
  type Inputs = { params: Params };
  const program = await backend.compile<Inputs, { state: OptimizerState }>(
    'optimizer.init',
    (inputs) => ({ state: optimizer.init(inputs.params) }),
    { params } as unknown as Signature<Inputs>,
  );
  const { state } = await program.run({ params } as unknown as OnDevice<Inputs>);
  program.dispose();
  return state as Tree<DeviceTensor>;
}
