/**
 * A frozen teacher: a finished run's parameters, run once over the training rows without dropout.
 * What the objective asks of it is cached; the teacher never runs inside a step and gets no gradient.
 */

import type { Backend, HostArray, HostParams, Model, Site } from '../contracts/types.js';
import { reader, sizeOf } from '../tensors/params.js';
import { TYPED_ARRAYS } from '../tensors/program-io.js';
import { overRows } from './run-in-batches.js';
import { siteReader } from './step.js';

/** A teacher as a run uses it. */
export interface Teacher {
  readonly model: Model;
  readonly params: HostParams;
  /** All rows of the run's task as the teacher reads them, where it is of another task. */
  readonly inputs?: HostArray;
}

/** Most rows a forward pass takes at once: larger batches leave the processor's cache. */
export const EVAL_ROWS = 1600;

/** Computes sites over `inputs` (`[rows, …]`), chunk by chunk, to the host. */
export async function computeSites(
  backend: Backend,
  { model, params }: Teacher,
  sites: readonly Site[],
  inputs: HostArray,
): Promise<Record<Site, HostArray>> {
  const [count = 0] = inputs.shape;
  const rows = Int32Array.from({ length: count }, (_, row) => row);
  const of = { params, data: { inputs }, rows, most: EVAL_ROWS };
  const out: Record<Site, HostArray> = {};
  let done = 0;
  for await (const part of overRows(backend, 'sites', siteReader(model, sites), of)) {
    const read = reader('site', part.values);
    for (const site of sites) {
      const { shape, dtype, data } = read(site);
      const rest = shape.slice(1);
      const size = sizeOf(rest);
      out[site] ??= { shape: [count, ...rest], dtype, data: new TYPED_ARRAYS[dtype](count * size) };
      out[site].data.set(data, done * size);
    }
    done += part.rows;
  }
  return out;
}
