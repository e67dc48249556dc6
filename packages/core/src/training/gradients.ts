/** Gradients of the hard loss at fixed parameters, batch by batch, for probes. */
import type * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import type { Backend, HostParams, Model, Params, Task } from '../contracts/types.js';
import { reader, valueAndGrads } from '../tensors/params.js';
import { crossEntropy } from './hard.js';
import { createRowPrograms, toArrays } from './run-in-batches.js';

type Inputs = { params: Params; inputs: tf.Tensor; labels: tf.Tensor1D };

/** Computes gradients of the hard loss; it keeps its programs until it is disposed of. */
export interface GradientReader {
  /**
   * Gradients of the mean hard loss, without dropout, over each of `batches` equal parts of `rows`;
   * remaining rows are unused. @throws InputError when there are fewer rows than batches.
   */
  read(
    params: HostParams,
    task: Task,
    rows: Int32Array,
    batches: number,
  ): Promise<readonly HostParams[]>;
  dispose(): void;
}

/** Creates a gradient reader for a model. */
export function createGradientReader(backend: Backend, model: Model): GradientReader {
  const logits = new Set(['logits']);
  const programs = createRowPrograms(
    backend,
    'gradients',
    ({ params, inputs, labels }: Inputs) =>
      valueAndGrads((values) => {
        const sites = model.apply(reader('parameter', values), inputs, { sites: logits });
        return { loss: crossEntropy(reader('site', sites)('logits'), labels), aux: {} };
      }, params).grads,
  );
  return {
    async read(params, task, rows, batches) {
      const { size, even } = equalBatches(rows, batches);
      const input = { params, data: toArrays(task), rows: even, most: size };
      const out: HostParams[] = [];
      for await (const { values } of programs.run(input)) out.push(values);
      return out;
    },
    dispose: programs.dispose,
  };
}

/**
 * The size of each of `batches` equal parts of rows, and the rows they use. @throws InputError when
 * there are fewer rows than batches.
 */
export function equalBatches(
  rows: Int32Array,
  batches: number,
): { readonly size: number; readonly even: Int32Array } {
  const size = Math.floor(rows.length / batches);
  if (size < 1)
    throw new InputError(
      `gradients: each batch must have at least one row, got ${rows.length} rows for ${batches} batches; use fewer batches`,
    );
  return { size, even: rows.subarray(0, size * batches) };
}
