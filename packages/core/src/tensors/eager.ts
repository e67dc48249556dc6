/**
 * What eager backends share: a tfjs backend behind the `Backend` contract. Nothing is compiled: `run`
 * calls the function inside `tidy`, and its tfjs backend is the current one only meanwhile, so that
 * programs of several backends may interleave in one process.
 */
import * as tf from '@grok/tfjs';
import { InputError, RunError, unknownName } from '../contracts/errors.js';
import type {
  Backend,
  DeviceTensor,
  DType,
  OnDevice,
  Program,
  TensorSpec,
  Tree,
  TypedArray,
} from '../contracts/types.js';
import {
  checkDonated,
  checkInputs,
  checkUpload,
  copySpecs,
  mapOutputs,
  specText,
  tensorsByPath,
} from './program-io.js';
import { startTfjsBackend, withTfjsBackend } from './tfjs-backend.js';
import { leavesByPath, treeFromPaths } from './tree.js';

/** What tells one eager backend from another. */
export interface EagerParts {
  readonly name: string;
  /** Name under which tfjs knows the backend. */
  readonly tfjs: string;
  readonly device: string;
  readonly threads: number;
  readonly bitExact: boolean;
}

const NOTHING_COMPILED = { nodes: 0, gemms: [], flops: 0, bytes: 0 } as const;

/**
 * Wraps a tfjs backend; starts it where it has not been started.
 * @throws RunError when tfjs does not know the backend or cannot start it.
 */
export async function eagerBackend(parts: EagerParts): Promise<Backend> {
  await startTfjsBackend(parts.tfjs);
  const instance = withTfjsBackend(parts.tfjs, () => tf.backend());
  const live = new Map<DeviceTensor, tf.Tensor>();
  const dead = new WeakMap<DeviceTensor, string>();
  let disposed = false;

  const inside = <T>(body: () => T): T => {
    if (disposed) throw new InputError(`backend "${parts.name}" was disposed; create another`);
    return withTfjsBackend(parts.tfjs, () => {
      if (tf.backend() !== instance)
        throw new RunError(
          `backend "${parts.name}": tfjs backend "${parts.tfjs}" was removed or started anew; create the backend again`,
        );
      return body();
    });
  };
  const adopt = (tensor: tf.Tensor): DeviceTensor => {
    tf.keep(tensor);
    const handle = Object.freeze({ shape: [...tensor.shape], dtype: tensor.dtype as DType });
    live.set(handle, tensor);
    return handle;
  };
  const find = (handle: DeviceTensor): tf.Tensor => {
    const tensor = live.get(handle);
    if (tensor !== undefined) return tensor;
    const fate = dead.get(handle);
    throw new InputError(
      fate === undefined
        ? `backend "${parts.name}": tensor ${specText(handle)} is not of this backend; upload it here`
        : `backend "${parts.name}": tensor ${specText(handle)} ${fate}`,
    );
  };
  const drop = (handle: DeviceTensor, fate: string): void => {
    live.get(handle)?.dispose();
    if (live.delete(handle)) dead.set(handle, fate);
  };

  return {
    name: parts.name,
    device: parts.device,
    capabilities: { residentInputs: true, threads: parts.threads, bitExact: parts.bitExact },
    upload(data, shape, dtype) {
      checkUpload(data, { shape, dtype });
      // Some tfjs backends keep the array that they are given: hand them one of their own.
      return inside(() => adopt(tf.tensor(data.slice(), [...shape], dtype)));
    },
    async read(handle) {
      const data = await find(handle).data();
      return data.slice() as TypedArray;
    },
    free: (handle) => drop(handle, 'was freed'),
    async compile<I extends object, O extends object>(
      name: string,
      fn: (inputs: I) => O,
      signature: unknown,
      { donate = [] }: { donate?: readonly (keyof I & string)[] } = {},
    ) {
      const specs = copySpecs(leavesByPath(signature as Tree<TensorSpec>));
      for (const key of donate)
        if (!(key in (signature as object)))
          throw unknownName(
            `donated input of program "${name}"`,
            key,
            Object.keys(signature as object),
          );
      let gone = false;
      const execute = (inputs: OnDevice<I>): OnDevice<O> => {
        const given = leavesByPath(inputs as Tree<DeviceTensor>);
        checkInputs(name, specs, given);
        const tensors: Record<string, tf.Tensor> = {};
        for (const [path, handle] of Object.entries(given)) tensors[path] = find(handle);
        let outputs: object = {};
        inside(() =>
          tf.tidy(() => {
            const made = fn(treeFromPaths(inputs as Tree<DeviceTensor>, tensors) as I);
            const results = tensorsByPath(name, made);
            checkDonated(name, specs, results, donate);
            // An input handed back, or one tensor under two names, would be freed under both: what
            // is kept already gets a copy.
            outputs = mapOutputs(made as Tree<tf.Tensor>, (tensor) =>
              adopt(tensor.kept ? tf.clone(tensor) : tensor),
            );
          }),
        );
        for (const [path, handle] of Object.entries(given))
          if (donate.includes(path.split('/', 1)[0] as keyof I & string))
            drop(handle, `was donated to program "${name}"`);
        return outputs as OnDevice<O>;
      };
      const program: Program<I, O> = {
        summary: NOTHING_COMPILED,
        async run(inputs) {
          if (gone) throw new InputError(`program "${name}" was disposed; compile it again`);
          try {
            const outputs = execute(inputs);
            await yieldToEventLoop();
            return outputs;
          } catch (error) {
            throw explain(error, name, parts);
          }
        },
        dispose() {
          gone = true;
        },
      };
      return program;
    },
    async dispose() {
      for (const handle of [...live.keys()]) drop(handle, 'died with its backend');
      disposed = true;
    },
  };
}

/** Gives timers, signals, messages and sockets their turn: a step that computes never waits for anything else. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

/** A missing kernel, with the op that asked for it and what there is; anything else as it came. */
function explain(error: unknown, program: string, { name, tfjs }: EagerParts): unknown {
  if (!(error instanceof Error)) return error;
  const [, whose, kernel] = /^(.*?)Kernel '(.+?)' not registered/.exec(error.message) ?? [];
  if (kernel === undefined) return error;
  const { stack = '' } = (error.cause ?? error) as Error;
  const op = /\b(\w+?)__op\b/.exec(stack)?.[1];
  const known = tf.getKernelsForBackend(tfjs).map(({ kernelName }) => kernelName);
  return new RunError(
    `program "${program}": ${whose}backend "${name}" has no kernel ${kernel}${op ? `, which tf.${op} asked for` : ''}; write it with others or take another backend. Supported: ${known.sort().join(', ')}`,
    { cause: error },
  );
}
