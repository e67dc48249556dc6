/** Gradients of the hard loss at fixed parameters, batch by batch: for probes, not for training. */
import type * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import type { Backend, HostParams, Params, Task } from '../contracts/types.js';
import { reader, valueAndGrads } from '../tensors/params.js';
import { crossEntropy } from './hard.js';
import { arraysOf, overRows } from './run-in-batches.js';
import type { Teacher } from './sites.js';

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
  const { size, even } = equalBatches(rows, batches);
  const logits = new Set(['logits']);
  const gradients = ({ params, inputs, labels }: Inputs): Params =>
    valueAndGrads((values) => {
      const sites = model.apply(reader('parameter', values), inputs, { sites: logits });
      return { loss: crossEntropy(reader('site', sites)('logits'), labels), aux: {} };
    }, params).grads;
  const of = { params, data: arraysOf(task), rows: even, most: size };
  const out: HostParams[] = [];
  for await (const { values } of overRows(backend, 'gradients', gradients, of)) out.push(values);
  return out;
}

/** The size of `batches` equal parts of rows, and the rows in them. @throws InputError when there are fewer rows than batches. */
export function equalBatches(
  rows: Int32Array,
  batches: number,
): { readonly size: number; readonly even: Int32Array } {
  const size = Math.floor(rows.length / batches);
  if (size < 1)
    throw new InputError(
      `gradients: each batch must have a row at least, got ${rows.length} rows for ${batches} batches; ask for fewer batches`,
    );
  return { size, even: rows.subarray(0, size * batches) };
}
