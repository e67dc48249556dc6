/**
 * A frozen teacher: a finished run's parameters, evaluated once over the training rows without
 * dropout. The sites that the objective needs are cached; the teacher never runs inside a step and
 * gets no gradient.
 */

import type { Backend, HostArray, HostParams, Model, Site } from '../contracts/types.js';
import { reader, sizeOf } from '../tensors/params.js';
import { TYPED_ARRAYS } from '../tensors/program-io.js';
import { createRowPrograms } from './run-in-batches.js';
import { siteReader } from './step.js';

/** A teacher as used by a run. */
export interface Teacher {
  readonly model: Model;
  readonly params: HostParams;
  /** All rows of the run's task as the teacher reads them, if its task differs. */
  readonly inputs?: HostArray;
}

/** Maximum rows per forward pass: larger batches do not fit in the processor's cache. */
export const EVAL_ROWS = 1600;

/** Reads sites of a model; it keeps its programs until it is disposed of. */
export interface SiteReader {
  /** The sites over `inputs` (`[rows, …]`), computed in chunks and read to the host. */
  read(params: HostParams, inputs: HostArray): Promise<Record<Site, HostArray>>;
  dispose(): void;
}

/** Creates a reader for the given sites. */
export function createSiteReader(
  backend: Backend,
  model: Model,
  sites: readonly Site[],
): SiteReader {
  const programs = createRowPrograms(backend, 'sites', siteReader(model, sites));
  return {
    async read(params, inputs) {
      const [count = 0] = inputs.shape;
      const rows = Int32Array.from({ length: count }, (_, row) => row);
      const out: Record<Site, HostArray> = {};
      let done = 0;
      for await (const part of programs.run({ params, data: { inputs }, rows, most: EVAL_ROWS })) {
        const read = reader('site', part.values);
        for (const site of sites) {
          const { shape, dtype, data } = read(site);
          const rest = shape.slice(1);
          const size = sizeOf(rest);
          out[site] ??= {
            ...{ shape: [count, ...rest], dtype },
            data: new TYPED_ARRAYS[dtype](count * size),
          };
          out[site].data.set(data, done * size);
        }
        done += part.rows;
      }
      return out;
    },
    dispose: programs.dispose,
  };
}

/** Computes sites over `inputs` (`[rows, …]`) once and reads them to the host. */
export async function computeSites(
  backend: Backend,
  { model, params }: Teacher,
  sites: readonly Site[],
  inputs: HostArray,
): Promise<Record<Site, HostArray>> {
  const reading = createSiteReader(backend, model, sites);
  try {
    return await reading.read(params, inputs);
  } finally {
    reading.dispose();
  }
}
