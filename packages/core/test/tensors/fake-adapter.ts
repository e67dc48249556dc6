/**
 * An adapter whose handles are numbers: it keeps arrays in a table, runs functions on tfjs's `cpu`
 * backend, and throws when core uses a released handle.
 */
import type { Backend, BackendAdapter, HostArray } from '@grok/core';
import {
  createBackend,
  isDType,
  type ProgramInput,
  startTfjsBackend,
  withTfjsBackend,
} from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import '@tensorflow/tfjs-backend-cpu';

/** A backend over the adapter, with what tests inspect. */
export interface Fake {
  readonly backend: Backend;
  /** Calls, in order. */
  readonly calls: string[];
  /** Inputs of each program, as given to the adapter. */
  readonly programs: Map<string, readonly ProgramInput[]>;
  /** Number of handles not yet released. */
  held(): number;
}
/** Parts of the adapter that a test may change. */
export interface FakeParts {
  /** Replaces the outputs of `run`. */
  readonly give?: (outputs: number[]) => readonly number[];
  /** Awaited between reading the inputs and writing the outputs. */
  readonly wait?: () => Promise<void>;
}

export function createFake({ give = (outputs) => outputs, wait }: FakeParts = {}): Fake {
  const arrays = new Map<number, HostArray>();
  const calls: string[] = [];
  const programs = new Map<string, readonly ProgramInput[]>();
  let next = 0;
  const add = (array: HostArray): number => {
    arrays.set(next, array);
    return next++;
  };
  const find = (handle: number): HostArray => {
    const array = arrays.get(handle);
    if (array === undefined) throw new Error(`handle ${handle} was used after its release`);
    return array;
  };
  const compute = (fn: (x: tf.Tensor[]) => tf.Tensor[], inputs: readonly number[]): number[] =>
    tf.tidy(() => {
      const handles = new Map<tf.Tensor, number>();
      const given = inputs.map((handle) => {
        const { data, shape, dtype } = find(handle);
        const tensor = tf.tensor(data.slice(), [...shape], dtype);
        handles.set(tensor, handle);
        return tensor;
      });
      return fn(given).map((tensor) => {
        const handle = handles.get(tensor) ?? add(copyTensor(tensor));
        handles.set(tensor, handle);
        return handle;
      });
    });
  const adapter: BackendAdapter<number> = {
    get device() {
      return `fake 1, ${calls.length} calls`;
    },
    capabilities: { residentInputs: true, threads: 1, bitExact: true },
    upload(data, spec, { lent }) {
      calls.push(lent ? 'borrow' : 'upload');
      return add({ ...spec, data: lent ? data : data.slice() });
    },
    // The adapter's own memory, which the contract allows.
    read: async (handle) => find(handle).data,
    release(handle) {
      find(handle);
      calls.push('release');
      arrays.delete(handle);
    },
    async compile(name, fn, inputs) {
      await startTfjsBackend('cpu');
      programs.set(name, inputs);
      return {
        summary: { nodes: 1, gemms: [], flops: 0, bytes: 0 },
        listing: `graph of ${name}`,
        async run(given) {
          await wait?.();
          return give(withTfjsBackend('cpu', () => compute(fn, given)));
        },
        dispose: () => void calls.push(`dispose ${name}`),
      };
    },
    dispose: () => void calls.push('dispose'),
  };
  return { backend: createBackend('fake', adapter), calls, programs, held: () => arrays.size };
}

function copyTensor(tensor: tf.Tensor): HostArray {
  const { shape, dtype } = tensor;
  if (!isDType(dtype)) throw new Error(`a tensor of type ${dtype} crossed the seam`);
  return { shape, dtype, data: tensor.dataSync<'float32' | 'int32' | 'bool'>().slice() };
}
