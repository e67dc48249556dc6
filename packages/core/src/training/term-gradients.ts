/** Gradients of a run's loss and of each of its terms at fixed parameters, for probes, outside the training step. */
import type * as tf from '@grok/tfjs';
import type { Checkpoint, HostArray, HostParams, Params, Program } from '../contracts/types.js';
import { reader, valueAndGrads, withoutAuxiliary } from '../tensors/params.js';
import { rng } from '../tensors/rng.js';
import { ranges, takeRows } from '../tensors/rows.js';
import { freeTree, mapTree, readTree, uploadTree } from '../tensors/tree.js';
import { equalBatches } from './gradients.js';
import { toArrays } from './run-in-batches.js';
import { computeSites } from './sites.js';
import type { Batch } from './step.js';
import type { Training } from './training.js';

/** Gradients per batch: of the weighted total, and of each unweighted term, by its name in the metrics rows. */
export interface TermGradients {
  readonly total: readonly HostParams[];
  readonly terms: Readonly<Record<string, readonly HostParams[]>>;
}

/** What evaluating an objective needs. */
type ObjectiveRun = Pick<
  Training,
  'backend' | 'task' | 'model' | 'objective' | 'teachers' | 'seed'
>;
type Inputs = {
  readonly params: Params;
  readonly data: Batch;
  readonly random: Readonly<Record<string, Params>>;
  readonly step: tf.Scalar;
};
type Outputs = { readonly total: Params; readonly terms: Readonly<Record<string, Params>> };

/**
 * Gradients with respect to the model's own parameters, without dropout, over `batches` equal parts
 * of `rows`. Scheduled weights are those of the next step; random inputs come from a separate
 * stream.
 * @throws InputError when there are fewer rows than batches.
 */
export async function gradientsByTerm(
  run: ObjectiveRun,
  { params, position: { step } }: Pick<Checkpoint, 'params' | 'position'>,
  rows: Int32Array,
  batches: number,
): Promise<TermGradients> {
  const { backend, objective } = run;
  const { size, even } = equalBatches(rows, batches);
  const data = await readData(run, even);
  const random = rng(run.seed).split('gradients');
  const found = { total: [] as HostParams[], terms: new Map<string, HostParams[]>() };
  let program: Program<Inputs, Outputs> | undefined;
  try {
    for (const [batch, [start, end]] of ranges(even.length, size).entries()) {
      const at = Int32Array.from({ length: size }, (_, i) => start + i);
      const inputs = uploadTree(backend, {
        params,
        data: mapData(data, (array) => takeRows(array, at)),
        random: objective.randomInputs(random.split(batch), step, even.subarray(start, end)),
        step: { shape: [], dtype: 'int32', data: Int32Array.of(step) } satisfies HostArray,
      });
      program ??= await backend.compile('gradients-by-term', objectiveGradients(run), inputs);
      const outputs = await program.run(inputs);
      found.total.push(await readTree(backend, outputs.total));
      for (const [name, term] of Object.entries(outputs.terms))
        found.terms.set(name, [...(found.terms.get(name) ?? []), await readTree(backend, term)]);
      freeTree(backend, outputs);
      freeTree(backend, inputs);
    }
  } finally {
    program?.dispose();
  }
  return { total: found.total, terms: Object.fromEntries(found.terms) };
}

/** The gradients of the total, then one backward pass per term. */
function objectiveGradients({
  model,
  objective,
  teachers,
}: Pick<ObjectiveRun, 'model' | 'objective' | 'teachers'>): (inputs: Inputs) => Outputs {
  const sites = new Set(objective.needs.student);
  const teacherParams = Object.fromEntries(
    Object.entries(teachers).map(([name, teacher]) => [name, teacher.params]),
  );
  return ({ params, data, random, step }) => {
    const own = withoutAuxiliary(params);
    const evaluate = (changing: Params) => {
      const values = { ...params, ...changing };
      const student = model.apply(reader('parameter', values), data.inputs, { sites });
      const { inputs, labels } = data;
      const context = { student, teachers: data.teachers, params: values, teacherParams, random };
      return objective.loss({ ...context, inputs, labels, step });
    };
    const total = valueAndGrads((values) => {
      const { total: loss, terms } = evaluate(values);
      return { loss, aux: terms };
    }, own);
    const ofTerm = (name: string): Params =>
      valueAndGrads(
        (values) => ({ loss: reader('term', evaluate(values).terms)(name), aux: {} }),
        own,
      ).grads;
    const names = Object.keys(total.aux);
    return {
      total: total.grads,
      terms: Object.fromEntries(names.map((name) => [name, ofTerm(name)])),
    };
  };
}

type HostData = {
  readonly inputs: HostArray;
  readonly labels: HostArray;
  readonly teachers: Readonly<Record<string, HostParams>>;
};

/** Inputs, labels and the teachers' sites of the given rows. */
async function readData(run: ObjectiveRun, rows: Int32Array): Promise<HostData> {
  const { inputs, labels } = toArrays(run.task);
  const teachers: Record<string, HostParams> = {};
  for (const [name, sites] of Object.entries(run.objective.needs.teachers)) {
    const teacher = reader('teacher', run.teachers)(name);
    const read = takeRows(teacher.inputs ?? inputs, rows);
    teachers[name] = await computeSites(run.backend, teacher, sites, read);
  }
  return { inputs: takeRows(inputs, rows), labels: takeRows(labels, rows), teachers };
}

function mapData({ inputs, labels, teachers }: HostData, f: (array: HostArray) => HostArray) {
  return {
    inputs: f(inputs),
    labels: f(labels),
    teachers: Object.fromEntries(
      Object.entries(teachers).map(([name, sites]) => [name, mapTree(sites, f)]),
    ),
  };
}
