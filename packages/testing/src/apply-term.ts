/**
 * Applies a term of the loss to plain arrays: named values and gradients, on tfjs's current backend
 * (import `@tensorflow/tfjs-backend-cpu` for one that starts by itself).
 */
import { type HostArray, type ModelInfo, type ObjectiveTerm, rng, sizeOf } from '@grok/core';
import * as tf from '@grok/tfjs';

/** Arrays by name. */
export type Arrays = Readonly<Record<string, HostArray>>;

/** Model information with the given sizes, for strategies. */
export const makeModelInfo = (layers: number, width: number, heads = 1): ModelInfo => ({
  layers,
  width,
  heads,
  sites: [],
});

/** Normal random numbers of a shape. */
export function draw(label: string, ...shape: number[]): HostArray {
  const size = sizeOf(shape);
  return { data: rng(7).split(label).normal(size), shape, dtype: 'float32' };
}

/** Inputs of a loss term; `parameters` are the student's, `teacherParams` those of each teacher. */
export interface TermArrays {
  readonly student: Arrays;
  readonly teachers: Readonly<Record<string, Arrays>>;
  readonly auxiliary?: Arrays;
  readonly parameters?: Arrays;
  readonly teacherParams?: Readonly<Record<string, Arrays>>;
  readonly inputs?: HostArray;
}

/**
 * Computes a term's scalars and the gradients of their sum with respect to `student` sites, `auxiliary` and
 * `parameters`.
 */
export function applyTerm(
  term: ObjectiveTerm,
  given: TermArrays,
): { values: Record<string, number>; grads: Record<string, Float32Array> } {
  const before = tf.memory().numTensors;
  const result = tf.tidy(() => {
    const needed = new Set(term.needs.student);
    const student = Object.entries(given.student).filter(([site]) => needed.has(site));
    const { auxiliary = {}, parameters = {} } = given;
    const inputs = [...student, ...Object.entries({ ...auxiliary, ...parameters })];
    const names = inputs.map(([name]) => name);
    const values: Record<string, number> = {};
    const loss = (...tensors: tf.Tensor[]) => {
      const byName = new Map(names.map((name, i) => [name, tensors[i]]));
      const read = (allowed: readonly string[]) => (name: string) => {
        const tensor = allowed.includes(name) ? byName.get(name) : undefined;
        if (tensor === undefined) throw new Error(`"${name}" is not in the term's needs`);
        return tensor;
      };
      const named = term.loss({
        student: read(term.needs.student),
        teacher(site, name = 'teacher') {
          const value = given.teachers[name]?.[site];
          if (!value || !term.needs.teachers?.[name]?.includes(site))
            throw new Error(`"${site}" of "${name}" is not in the term's needs`);
          return toTensor(value);
        },
        auxiliary: read(Object.keys(auxiliary)),
        param: read(Object.keys(parameters)),
        teacherParam(name, teacher = 'teacher') {
          const value = given.teacherParams?.[teacher]?.[name];
          if (!value) throw new Error(`no parameter "${name}" of "${teacher}"`);
          return toTensor(value);
        },
        random: (name) => {
          throw new Error(`no draw "${name}"`);
        },
        inputs: given.inputs ? toTensor(given.inputs) : tf.zeros([1, 1], 'int32'),
        labels: tf.tensor1d([], 'int32'),
        step: tf.scalar(0, 'int32'),
      });
      for (const [name, value] of Object.entries(named))
        [values[name] = Number.NaN] = value.dataSync();
      return tf.addN(Object.values(named));
    };
    const tensors = inputs.map(([, array]) => toTensor(array));
    const grads = tf.grads(loss)(tensors);
    return {
      values,
      grads: Object.fromEntries(
        grads.map((grad, i) => [names[i], Float32Array.from(grad.dataSync())]),
      ),
    };
  });
  if (tf.memory().numTensors !== before) throw new Error('the term leaks tensors');
  return result;
}

function toTensor({ data, shape, dtype }: HostArray): tf.Tensor {
  return tf.tensor(data, [...shape], dtype);
}

/** Largest absolute difference. @throws if the lengths differ or a list is missing. */
export function distance(
  a: ArrayLike<number> | undefined,
  b: ArrayLike<number> | undefined,
): number {
  if (a === undefined || b === undefined) throw new Error('one of the two is not there');
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length} differ`);
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - Number(b[i]))));
}
