/** Runs one composed objective on arrays: its loss, its terms, and the gradients of all it may train. */
import {
  type Backend,
  type ComposedObjective,
  type HostArray,
  type ModelInfo,
  type OnDevice,
  type Params,
  rng,
  type Signature,
  type Tree,
  uploadTree,
  valueAndGrads,
} from '@grok/core';
import * as tf from '@grok/tfjs';
import { i32, leaves, readAndFree } from './arrays.js';
import { imaginedValue } from './models.js';

/** Everything that a term reads; `params` holds the student's sites and the term's own parameters. */
export interface TermInputs {
  readonly params: Readonly<Record<string, HostArray>>;
  readonly teachers: Readonly<Record<string, Readonly<Record<string, HostArray>>>>;
  readonly draws: Readonly<Record<string, Readonly<Record<string, HostArray>>>>;
  readonly labels: HostArray;
  readonly step: HostArray;
}
/** What came out of a term. */
export interface TermOutputs {
  readonly loss: number;
  readonly terms: Readonly<Record<string, HostArray>>;
  /** By the names in `params`. */
  readonly grads: Readonly<Record<string, HostArray>>;
  /** The same of a second run on the same tensors, when asked for. */
  readonly again?: { readonly loss: number; readonly grads: Readonly<Record<string, HostArray>> };
  /** The inputs read back are what went in. */
  readonly unchanged: boolean;
}

/** Draws all that a term reads; `alike` gives the teachers the student's values. */
export function drawTerm(
  term: ComposedObjective,
  models: { student: ModelInfo; teachers: Readonly<Record<string, ModelInfo>> },
  { seed, batch, alike = false }: { seed: number; batch: number; alike?: boolean },
): TermInputs {
  const rows = Int32Array.from({ length: batch }, (_, i) => 2 * i + 1);
  return {
    params: {
      ...Object.fromEntries(
        term.needs.student.map((site) => [
          site,
          imaginedValue(models.student, site, batch, `${seed}`),
        ]),
      ),
      ...term.extra(rng(seed)),
    },
    teachers: Object.fromEntries(
      Object.entries(term.needs.teachers).map(([name, sites]) => [
        name,
        Object.fromEntries(
          sites.map((site) => [
            site,
            imaginedValue(
              models.teachers[name]!,
              site,
              batch,
              alike ? `${seed}` : `${seed} ${name}`,
            ),
          ]),
        ),
      ]),
    ),
    draws: term.draws(rng(seed), 0, rows),
    labels: i32(
      [batch],
      Array.from(rows, (row) => row % 5),
    ),
    step: i32([], [0]),
  };
}

type Inputs = {
  params: Params;
  teachers: Record<string, Params>;
  draws: Record<string, Params>;
  labels: tf.Tensor1D;
  step: tf.Scalar;
};

/** Compiles a term for its inputs' shapes and runs it; nothing is left on the backend. */
export async function runTerm(
  backend: Backend,
  term: ComposedObjective,
  inputs: TermInputs,
  { twice = false }: { twice?: boolean } = {},
): Promise<TermOutputs> {
  const own = new Set(term.needs.student);
  const given = uploadTree(backend, inputs as unknown as Tree<HostArray>);
  const program = await backend.compile(
    'term',
    ({ params, ...rest }: Inputs) => {
      const { loss, aux, grads } = valueAndGrads((values) => {
        const student = Object.fromEntries(Object.entries(values).filter(([key]) => own.has(key)));
        const { total, terms } = term.loss({
          student,
          params: values,
          frozen: {},
          inputs: tf.zeros([rest.labels.size, 1], 'int32'),
          ...rest,
        });
        return { loss: total, aux: { terms } };
      }, params);
      return { loss, ...aux, grads };
    },
    given as unknown as Signature<Inputs>,
  );
  try {
    const run = async (): Promise<Omit<TermOutputs, 'unchanged'>> => {
      const out = await readAndFree(
        backend,
        await program.run(given as unknown as OnDevice<Inputs>),
      );
      return {
        loss: out.loss!.data[0]!,
        terms: under('terms/', out),
        grads: under('grads/', out),
      };
    };
    const first = await run();
    const { loss, grads } = twice ? await run() : first;
    const unchanged = await same(backend, given, inputs);
    return { ...first, unchanged, ...(twice ? { again: { loss, grads } } : {}) };
  } finally {
    program.dispose();
    for (const tensor of leaves(given)) backend.free(tensor);
  }
}

function under(
  prefix: string,
  all: Readonly<Record<string, HostArray>>,
): Record<string, HostArray> {
  return Object.fromEntries(
    Object.entries(all)
      .filter(([path]) => path.startsWith(prefix))
      .map(([path, value]) => [path.slice(prefix.length), value]),
  );
}

async function same(backend: Backend, device: object, host: object): Promise<boolean> {
  for (const [key, node] of Object.entries(device)) {
    const before = (host as Record<string, HostArray>)[key]!;
    if (!('dtype' in node)) {
      if (!(await same(backend, node, before))) return false;
    } else if ((await backend.read(node)).join() !== before.data.join()) return false;
  }
  return true;
}
