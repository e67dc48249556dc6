/**
 * The pure functions that a run compiles: one training step and one evaluation. Data is either
 * resident (whole arrays on the device, gathered by row inside) or sliced on the host per batch.
 */
import * as tf from '@grok/tfjs';
import { type InputError, isInputError, withSubject } from '../contracts/errors.js';
import type { HostParams, Model, Optimizer, OptimizerState, Params } from '../contracts/types.js';
import { type Layout, pack, reader, unpack, valueAndGrads } from '../tensors/params.js';
import { crossEntropy } from './hard.js';
import type { ComposedObjective } from './objective.js';

/** Rows of a data set with the frozen teachers' sites for them. */
export interface Batch {
  readonly inputs: tf.Tensor;
  readonly labels: tf.Tensor1D;
  /** Sites by teacher, then by site. */
  readonly teachers: Readonly<Record<string, Params>>;
}
/** Inputs of one training step. */
export interface StepInputs {
  /** `{ flat: [size] }` for an elementwise optimizer, else named. */
  readonly params: Params;
  readonly state: OptimizerState;
  readonly step: tf.Scalar;
  readonly data: Batch;
  /** int32 `[batch]`, row positions in `data`; absent when `data` is the batch itself. */
  readonly rows: { readonly at?: tf.Tensor1D };
  readonly masks: Params;
  readonly random: Readonly<Record<string, Params>>;
}
/** Outputs of one training step: the next state, and scalars to log. */
export interface StepOutputs {
  readonly params: Params;
  readonly state: OptimizerState;
  readonly loss: tf.Scalar;
  /** Number of rows whose largest logit is the label's. */
  readonly correct: tf.Scalar;
  readonly terms: Readonly<Record<string, tf.Scalar>>;
  /** Mean cross-entropy with the labels over the batch; absent if a term already is that. */
  readonly hardLoss?: tf.Scalar;
}

/** Forward pass, gradients and optimizer as one pure function. */
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
    const forward = (values: Params): Params =>
      model.apply(reader('parameter', values), batch.inputs, { sites: needed, ...dropout });
    const evaluate = (changing: Params): Evaluated => {
      const values = { ...named, ...changing };
      const sites = forward(values);
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
    };
    const { loss, aux, grads } = gradientsOrCulprit(evaluate, trained, () =>
      findCulprit(objective, {
        logits: (changing) => reader('site', forward({ ...named, ...changing }))('logits'),
        terms: (changing) => evaluate(changing).aux.terms,
        params: trained,
      }),
    );
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

/** Outputs of a step's loss. */
interface Evaluated {
  readonly loss: tf.Scalar;
  readonly aux: Pick<StepOutputs, 'correct' | 'hardLoss' | 'terms'>;
}

/** As `valueAndGrads`; `blame` names the component whose operation has no gradient. */
function gradientsOrCulprit(
  evaluate: (params: Params) => Evaluated,
  params: Params,
  blame: () => string,
): Evaluated & { readonly grads: Params } {
  try {
    return valueAndGrads(evaluate, params);
  } catch (error) {
    if (!isWithoutGradient(error)) throw error;
    throw withSubject(blame(), error);
  }
}

/** Finds the model or the strategies that cannot be differentiated. */
function findCulprit(
  objective: ComposedObjective,
  at: {
    readonly logits: (params: Params) => tf.Tensor;
    readonly terms: (params: Params) => Readonly<Record<string, tf.Scalar>>;
    readonly params: Params;
  },
): string {
  const fails = (loss: (params: Params) => tf.Scalar): boolean => {
    try {
      valueAndGrads((params) => ({ loss: loss(params), aux: {} }), at.params);
      return false;
    } catch (error) {
      return isWithoutGradient(error);
    }
  };
  if (fails((params) => tf.sum(at.logits(params)))) return 'the model';
  const names = Object.keys(at.terms(at.params));
  const failing = names.filter((name) => fails((params) => reader('term', at.terms(params))(name)));
  return [...new Set(failing.map(objective.subjectOf))].join(', ');
}

function isWithoutGradient(error: unknown): error is InputError {
  return isInputError(error) && error.code === 'no-gradient';
}

/** Inputs of an evaluation: parameters and rows of one data set. */
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

/** Values at sites over a batch, without dropout, for frozen teachers, probes and analyses. */
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
