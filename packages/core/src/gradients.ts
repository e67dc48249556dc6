/** Gradients of the hard loss at fixed parameters, batch by batch: for probes, not for training. */
import type * as tf from '@grok/tfjs';
import { freeTree, ranges, readTree, takeRows, uploadTree } from './device.js';
import { InputError } from './errors.js';
import { crossEntropy } from './objective.js';
import { reader, valueAndGrads } from './params.js';
import type { Teacher } from './teacher.js';
import type {
  Backend,
  HostArray,
  HostParams,
  OnDevice,
  Params,
  Program,
  Signature,
  Task,
} from './types.js';

type Inputs = { params: Params; inputs: tf.Tensor; labels: tf.Tensor1D };

/**
 * Gradients of the mean hard loss, without dropout, over each of `batches` equal parts of `rows`; rows
 * that are left over belong to none. @throws InputError when there are fewer rows than batches.
 */
export async function batchGradients(
  backend: Backend,
  { model, params }: Teacher,
  task: Task,
  rows: Int32Array,
  batches: number,
): Promise<readonly HostParams[]> {
  const size = Math.floor(rows.length / batches);
  if (size < 1)
    throw new InputError(
      `gradients: each batch must have a row at least, got ${rows.length} rows for ${batches} batches; ask for fewer batches`,
    );
  const labels: HostArray = { shape: [task.labels.length], dtype: 'int32', data: task.labels };
  const logits = new Set(['logits']);
  const gradients = ({ params, inputs, labels }: Inputs): { grads: Params } => {
    const { grads } = valueAndGrads((values) => {
      const sites = model.apply(reader('parameter', values), inputs, { sites: logits });
      return { loss: crossEntropy(sites.logits!, labels), aux: {} };
    }, params);
    return { grads };
  };
  const onDevice = uploadTree(backend, params);
  const programs = new Map<number, Program<Inputs, { grads: Params }>>();
  const out: HostParams[] = [];
  for (const [start, end] of ranges(size * batches, size)) {
    const at = rows.subarray(start, end);
    const batch = uploadTree(backend, {
      inputs: takeRows(task.inputs, at),
      labels: takeRows(labels, at),
    });
    const given = { params: onDevice, ...batch } as unknown;
    let program = programs.get(at.length);
    if (program === undefined) {
      const name = `gradients-${at.length}`;
      program = await backend.compile(name, gradients, given as Signature<Inputs>);
      programs.set(at.length, program);
    }
    const { grads } = await program.run(given as OnDevice<Inputs>);
    out.push(await readTree(backend, grads));
    freeTree(backend, grads);
    freeTree(backend, batch);
  }
  for (const program of programs.values()) program.dispose();
  freeTree(backend, onDevice);
  return out;
}
