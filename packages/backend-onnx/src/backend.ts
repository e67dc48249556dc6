/**
 * The `Backend` contract on onnxruntime: `compile` traces a function into one graph, `run` is one call
 * of the runtime. Device tensors are typed arrays; the state of a step swings between two of them.
 */
import {
  type Backend,
  type DeviceTensor,
  InputError,
  type OnDevice,
  type Program,
  type Signature,
  type TensorSpec,
  type Tree,
  unknownName,
} from '@grok/core';
import {
  checkDonated,
  checkUpload,
  copySpecs,
  leavesByPath,
  mapOutputs,
  specText,
  tensorsByPath,
  treeFromPaths,
} from '@grok/core/internal';
import type * as tf from '@grok/tfjs';
import { computedOutputs, encode } from './encode.js';
import type { Graph } from './graph.js';
import { createMemory, type Storage } from './memory.js';
import { optimize, type Rules } from './optimize/index.js';
import { createRunner, type Device } from './run.js';
import type { Runtime } from './session.js';
import { summarize } from './summary.js';
import { trace } from './tracer.js';

/** How the backend works. */
export interface Settings {
  /** Threads of one run. */
  readonly threads: number;
  /** Rewrite rules to leave out: `{ name: false }`. */
  readonly rules: Rules;
  /** A file name's beginning: onnxruntime's profile of each program, `PREFIX-NAME_….json`. */
  readonly profile?: string | undefined;
}
/** A compiled program that also shows its graph, for tests and profiles. */
export interface OnnxProgram<I, O> extends Program<I, O> {
  readonly graph: Graph;
}

/** The backend on a loaded runtime. */
export function createBackend(runtime: Runtime, settings: Settings): Backend {
  const { threads, rules } = settings;
  const memory = createMemory(runtime);
  const programs = new Set<{ dispose(): void }>();
  let disposed = false;
  const alive = (): void => {
    if (disposed) throw new InputError('backend "onnx" was disposed; create another');
  };
  const device = createDevice(memory.release);

  return {
    name: 'onnx',
    device: `${runtime.name}, ${runtime.provider ?? 'cpu'}, ${threads} thread${threads === 1 ? '' : 's'}`,
    capabilities: {
      residentInputs: runtime.residentInputs,
      threads,
      bitExact: runtime.provider !== 'webgpu',
    },
    upload(data, shape, dtype, { lent = false } = {}) {
      alive();
      checkUpload(data, { shape, dtype });
      const storage = lent ? memory.borrow(data) : memory.copyOf(dtype, data);
      return device.tensor(storage, { shape, dtype });
    },
    async read(given) {
      return device.storageOf('read', given).data.slice();
    },
    free: (given) => device.free(given, 'was freed'),
    async compile<I extends object, O extends object>(
      name: string,
      fn: (inputs: I) => O,
      signature: Signature<I>,
      { donate = [] }: { donate?: readonly (keyof I & string)[] } = {},
    ): Promise<Program<I, O>> {
      alive();
      const like = signature as Tree<TensorSpec>;
      const inputs = copySpecs(leavesByPath(like));
      for (const key of donate)
        if (!(key in like))
          throw unknownName(`donated input of program "${name}"`, key, Object.keys(like));
      const paths = Object.keys(inputs);
      const types = Object.values(inputs).map(({ dtype, shape }) => ({ type: dtype, shape }));
      let made: Tree<TensorSpec> = {};
      const traced = await trace(types, (symbols) => {
        const given = Object.fromEntries(paths.map((path, i) => [path, symbols[i]!]));
        const result = fn(treeFromPaths(like, given) as I);
        const outputs = tensorsByPath(name, result);
        checkDonated(name, inputs, outputs, donate);
        made = mapOutputs(result as Tree<tf.Tensor>, ({ shape, dtype }) => ({
          shape: [...shape],
          dtype: dtype as TensorSpec['dtype'],
        })) as Tree<TensorSpec>;
        return Object.values(outputs);
      });
      const graph = optimize(traced, rules);
      const bytes = encode(graph, { nothing: runtime.wantsNothing === true });
      const profile = settings.profile && `${settings.profile}-${name.replace(/\W+/g, '-')}`;
      // The runtime refuses models without outputs.
      const session =
        computedOutputs(graph).length === 0
          ? undefined
          : await runtime.open(bytes, { threads, ...(profile ? { profile } : {}) });
      const run = createRunner({ name, graph, session, memory, device, inputs, made, donate });
      let open = true;
      const program: OnnxProgram<I, O> = {
        summary: summarize(graph, bytes.length),
        graph,
        async run(given) {
          if (!open) throw new InputError(`program "${name}" was disposed; compile it again`);
          return (await run(given as Tree<DeviceTensor>)) as OnDevice<O>;
        },
        dispose() {
          if (!open) return;
          open = false;
          programs.delete(program);
          if (profile) session?.endProfiling();
          void session?.release();
        },
      };
      programs.add(program);
      return program;
    },
    async dispose() {
      disposed = true;
      for (const program of programs) program.dispose();
      memory.clear();
    },
  };
}

/** Device tensors and the storage behind each; a dead one knows how it died. */
function createDevice(release: (storage: Storage) => void): Device {
  const storages = new WeakMap<DeviceTensor, Storage | string>();
  return {
    tensor(storage, { shape, dtype }) {
      const made: DeviceTensor = Object.freeze({ shape: [...shape], dtype });
      storages.set(made, storage);
      return made;
    },
    storageOf(what, given) {
      const found = storages.get(given);
      if (found === undefined)
        throw new InputError(
          `${what}: tensor ${specText(given)} is not of this backend; upload it here`,
        );
      if (typeof found === 'string')
        throw new InputError(
          `${what}: tensor ${specText(given)} ${found}; use the one that came after it`,
        );
      return found;
    },
    free(given, fate) {
      const found = storages.get(given);
      if (found === undefined || typeof found === 'string') return;
      storages.set(given, fate);
      release(found);
    },
  };
}
