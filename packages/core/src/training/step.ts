/**
 * The pure functions that a run compiles: one training step and one evaluation. Data is either
 * resident (whole arrays on the device, gathered by row inside) or sliced on the host per batch.
 */
import * as tf from '@grok/tfjs';
import type { HostParams, Model, Optimizer, OptimizerState, Params } from '../contracts/types.js';
import { type Layout, pack, reader, unpack, valueAndGrads } from '../tensors/params.js';
import { crossEntropy } from './hard.js';
import type { ComposedObjective } from './objective.js';

/** Rows of a data set with the frozen teachers' sites for them. */
export interface Batch {
  readonly inputs: tf.Tensor;
  readonly labels: tf.Tensor1D;
  /** Sites by teacher, by site. */
  readonly teachers: Readonly<Record<string, Params>>;
}
/** What one training step reads. */
export interface StepInputs {
  /** `{ flat: [size] }` for an elementwise optimiser, else named. */
  readonly params: Params;
  readonly state: OptimizerState;
  readonly step: tf.Scalar;
  readonly data: Batch;
  /** int32 `[batch]`, positions in `data`; absent when `data` is the batch itself. */
  readonly rows: { readonly at?: tf.Tensor1D };
  readonly masks: Params;
  readonly random: Readonly<Record<string, Params>>;
}
/** What one training step gives: the next state, and scalars to log. */
export interface StepOutputs {
  readonly params: Params;
  readonly state: OptimizerState;
  readonly loss: tf.Scalar;
  /** Number of rows whose largest logit is the label's. */
  readonly correct: tf.Scalar;
  readonly terms: Readonly<Record<string, tf.Scalar>>;
  /** Cross-entropy with the labels, mean over the batch; absent where a term is just that. */
  readonly hardLoss?: tf.Scalar;
}

/** Forward, gradients and optimiser as one pure function. */
export function trainingStep(parts: {
  model: Model;
  objective: ComposedObjective;
  optimizer: Optimizer;
  layout: Layout;
  /** The teachers' parameters, by teacher. */
  teacherParams: Readonly<Record<string, HostParams>>;
}): (inputs: StepInputs) => StepOutputs {
  const { model, objective, optimizer, layout, teacherParams } = parts;
  const needed = new Set([...objective.needs.student, 'logits']);
  const trains = (name: string): boolean =>
    optimizer.elementwise || (optimizer.trains?.(name) ?? true);
  return ({ params, state, step, data, rows, masks, random }) => {
    const batch = rows.at === undefined ? data : gatherBatch(data, rows.at);
    const dropout = Object.keys(masks).length > 0 ? { masks } : {};
    const named = optimizer.elementwise
      ? unpack(reader('parameter', params)('flat'), layout)
      : params;
    const trained = Object.fromEntries(Object.entries(named).filter(([name]) => trains(name)));
    const { loss, aux, grads } = valueAndGrads((changing) => {
      const values = { ...named, ...changing };
      const sites = model.apply(reader('parameter', values), batch.inputs, {
        sites: needed,
        ...dropout,
      });
      const { total, terms } = objective.loss({
        student: sites,
        teachers: batch.teachers,
        params: values,
        teacherParams,
        random,
        inputs: batch.inputs,
        labels: batch.labels,
        step,
      });
      const logits = reader('site', sites)('logits');
      const correct = countCorrect(logits, batch.labels);
      const hard = objective.hardTerm === undefined && crossEntropy(logits, batch.labels);
      return { loss: total, aux: { terms, correct, ...(hard && { hardLoss: hard }) } };
    }, trained);
    const gradients = optimizer.elementwise ? { flat: pack(grads) } : grads;
    const next = optimizer.update(gradients, state, params);
    const update = reader('update', next.updates);
    return {
      params: Object.fromEntries(
        Object.entries(params).map(([name, value]) => [
          name,
          trains(name) ? tf.add(value, update(name)) : tf.clone(value),
        ]),
      ),
      state: next.state,
      loss,
      ...aux,
    };
  };
}

/** What an evaluation reads: parameters and rows of one data set. */
export interface EvalInputs {
  readonly params: Params;
  readonly inputs: tf.Tensor;
  readonly labels: tf.Tensor1D;
}
/** Mean hard loss and number of correct rows of one batch, without dropout. */
export function evaluation(parts: {
  model: Model;
  layout: Layout;
  flat: boolean;
}): (inputs: EvalInputs) => { loss: tf.Scalar; correct: tf.Scalar } {
  return ({ params, inputs, labels }) => {
    const named = parts.flat ? unpack(reader('parameter', params)('flat'), parts.layout) : params;
    const sites = parts.model.apply(reader('parameter', named), inputs, {
      sites: new Set(['logits']),
    });
    const logits = reader('site', sites)('logits');
    return { loss: crossEntropy(logits, labels), correct: countCorrect(logits, labels) };
  };
}

/** Values of sites over a batch, without dropout: for frozen teachers, probes and analyses. */
export function siteReader(
  model: Model,
  sites: readonly string[],
): (inputs: { params: Params; inputs: tf.Tensor }) => Params {
  const wanted = new Set(sites);
  return ({ params, inputs }) =>
    model.apply(reader('parameter', params), inputs, { sites: wanted });
}

function countCorrect(logits: tf.Tensor, labels: tf.Tensor1D): tf.Scalar {
  return tf.sum(tf.cast(tf.equal(tf.argMax(logits, -1), labels), 'float32'));
}

function gatherBatch(data: Batch, at: tf.Tensor1D): Batch {
  const take = <T extends tf.Tensor>(values: T): T => tf.gather(values, at);
  return {
    inputs: take(data.inputs),
    labels: take(data.labels),
    teachers: Object.fromEntries(
      Object.entries(data.teachers).map(([name, sites]) => [
        name,
        Object.fromEntries(Object.entries(sites).map(([site, value]) => [site, take(value)])),
      ]),
    ),
  };
}
