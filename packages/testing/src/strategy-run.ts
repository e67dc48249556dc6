/** Runs one composed objective on arrays: its loss, its terms, and the gradients of everything trainable. */
import {
  type Backend,
  type DeviceTensor,
  type HostArray,
  type ModelInfo,
  type Params,
  rng,
  type Tree,
} from '@grok/core';
import { type ComposedObjective, leavesByPath, readTree, valueAndGrads } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { i32, readAndFree } from './arrays.js';
import { fakeValue } from './models.js';
import { load, type OnHost, under } from './run-once.js';

/** The models that a strategy is bound to. */
export interface Models {
  readonly student: ModelInfo;
  readonly teachers: Readonly<Record<string, ModelInfo>>;
}

/** All inputs of a term; `params` holds the student's sites and the term's auxiliary parameters. */
export type TermInputs = OnHost<TermTensors>;
interface TermTensors {
  readonly params: Params;
  readonly teachers: Readonly<Record<string, Params>>;
  readonly random: Readonly<Record<string, Params>>;
  readonly labels: tf.Tensor1D;
  readonly step: tf.Scalar;
}
/** The outputs of a term. */
export interface TermOutputs {
  readonly loss: number;
  readonly terms: Readonly<Record<string, HostArray>>;
  /** Gradients by the names in `params`. */
  readonly grads: Readonly<Record<string, HostArray>>;
  /** Results of a second run on the same tensors, if requested. */
  readonly again?: { readonly loss: number; readonly grads: Readonly<Record<string, HostArray>> };
  /** Whether the inputs are unchanged after the run. */
  readonly unchanged: boolean;
}

/** Draws all inputs of a term at a training step (default 0); `alike` gives the teachers the student's values. */
export function drawTerm(
  term: ComposedObjective,
  models: Models,
  {
    seed,
    batch,
    step = 0,
    alike = false,
  }: { seed: number; batch: number; step?: number; alike?: boolean },
): TermInputs {
  const rows = Int32Array.from({ length: batch }, (_, i) => 2 * i + 1);
  return {
    params: {
      ...Object.fromEntries(
        term.needs.student.map((site) => [site, fakeValue(models.student, site, batch, `${seed}`)]),
      ),
      ...term.auxiliaryParams(rng(seed)),
    },
    teachers: Object.fromEntries(
      Object.entries(term.needs.teachers).map(([name, sites]) => [
        name,
        Object.fromEntries(
          sites.map((site) => [
            site,
            fakeValue(models.teachers[name]!, site, batch, alike ? `${seed}` : `${seed} ${name}`),
          ]),
        ),
      ]),
    ),
    random: term.randomInputs(rng(seed), step, rows),
    labels: i32(
      [batch],
      Array.from(rows, (row) => row % 5),
    ),
    step: i32([], [step]),
  };
}

/** Compiles a term for its inputs' shapes and runs it; nothing is left on the backend. */
export async function runTerm(
  backend: Backend,
  term: ComposedObjective,
  inputs: TermInputs,
  { twice = false }: { twice?: boolean } = {},
): Promise<TermOutputs> {
  const own = new Set(term.needs.student);
  const { program, unload, ...uploaded } = await load(
    backend,
    'term',
    ({ params, ...rest }: TermTensors) => {
      const { loss, aux, grads } = valueAndGrads((values) => {
        const student = Object.fromEntries(Object.entries(values).filter(([key]) => own.has(key)));
        const { total, terms } = term.loss({
          student,
          params: values,
          teacherParams: {},
          inputs: tf.zeros([rest.labels.size, 1], 'int32'),
          ...rest,
        });
        return { loss: total, aux: { terms } };
      }, params);
      return { loss, ...aux, grads };
    },
    { ...inputs },
  );
  try {
    const run = async (): Promise<Omit<TermOutputs, 'unchanged'>> => {
      const out = await readAndFree(backend, await program.run(uploaded.inputs));
      const [loss = Number.NaN] = out.loss?.data ?? [];
      return { loss, terms: under('terms/', out), grads: under('grads/', out) };
    };
    const first = await run();
    const { loss, grads } = twice ? await run() : first;
    const unchanged = await isUnchanged(backend, uploaded.inputs, inputs);
    return { ...first, unchanged, ...(twice ? { again: { loss, grads } } : {}) };
  } finally {
    unload();
  }
}

async function isUnchanged(
  backend: Backend,
  tensors: Tree<DeviceTensor>,
  arrays: Tree<HostArray>,
): Promise<boolean> {
  const now = await readTree(backend, tensors);
  return Object.entries(leavesByPath(arrays)).every(
    ([path, { data }]) => data.join() === now[path]?.data.join(),
  );
}
