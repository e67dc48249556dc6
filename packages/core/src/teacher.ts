/**
 * A frozen teacher: a finished run's parameters, run once over the training rows without dropout.
 * What the objective asks of it is cached; the teacher never runs inside a step and gets no gradient.
 */

import type * as tf from '@grok/tfjs';
import { ranges, takeRows } from './device.js';
import { sizeOf } from './params.js';
import { siteReader } from './step.js';
import type {
  Backend,
  DeviceTensor,
  HostArray,
  HostParams,
  Model,
  Params,
  Program,
  Signature,
  Site,
  TypedArray,
} from './types.js';

/** A teacher as a run uses it. */
export interface Teacher {
  readonly model: Model;
  readonly params: HostParams;
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
  type Inputs = { params: Params; inputs: tf.Tensor };
  const rows = inputs.shape[0]!;
  const chunks = ranges(rows, EVAL_ROWS);
  const programs = new Map<number, Program<Inputs, Params>>();
  const onDevice: Record<string, DeviceTensor> = {};
  for (const [name, { data, shape, dtype }] of Object.entries(params))
    onDevice[name] = backend.upload(data, shape, dtype);
  const out: Record<Site, HostArray> = {};
  for (const [start, end] of chunks) {
    const batch = takeRows(inputs, indices(start, end));
    let program = programs.get(end - start);
    if (program === undefined) {
      program = await backend.compile<Inputs, Params>('sites', siteReader(model, sites), {
        params: onDevice,
        inputs: { shape: batch.shape, dtype: batch.dtype },
      } as Signature<Inputs>);
      programs.set(end - start, program);
    }
    const uploaded = backend.upload(batch.data, batch.shape, batch.dtype);
    const values = (await program.run({ params: onDevice, inputs: uploaded })) as Record<
      Site,
      DeviceTensor
    >;
    for (const site of sites) {
      const value = values[site]!;
      out[site] ??= {
        shape: [rows, ...value.shape.slice(1)],
        dtype: value.dtype,
        data: new (value.dtype === 'int32' ? Int32Array : Float32Array)(
          rows * sizeOf(value.shape.slice(1)),
        ),
      };
      (out[site].data as { set(from: TypedArray, at: number): void }).set(
        await backend.read(value),
        start * sizeOf(value.shape.slice(1)),
      );
      backend.free(value);
    }
    backend.free(uploaded);
  }
  for (const program of programs.values()) program.dispose();
  for (const tensor of Object.values(onDevice)) backend.free(tensor);
  return out;
}

const indices = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);
