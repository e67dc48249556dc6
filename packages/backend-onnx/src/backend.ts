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
} from '@grok/core';
import * as tf from '@grok/tfjs';
import { encode, nameOf } from './encode.js';
import { elementsOf, type Graph, sameShape, sizeOf, type Value } from './graph.js';
import { arrayOf, checkData, createMemory, type Memory, type Storage } from './memory.js';
import { optimize, type Rules } from './optimize/index.js';
import type { Runtime, RuntimeTensor, Session } from './session.js';
import { summarize } from './summary.js';
import { trace } from './tracer.js';
import { at, flatten, type Leaf, rebuild } from './tree.js';

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

const isSpec = (value: object): boolean => Array.isArray((value as { shape?: unknown }).shape);
const isTensor = (value: object): boolean => value instanceof tf.Tensor;
const spell = ({ dtype, shape }: TensorSpec): string => `${dtype} [${shape.join(', ')}]`;

/** The backend on a loaded runtime. */
export function createBackend(runtime: Runtime, settings: Settings): Backend {
  const memory = createMemory(runtime);
  /** What lies behind a device tensor; null once it was freed or donated. */
  const storages = new WeakMap<DeviceTensor, Storage | null>();
  const programs = new Set<Program<object, object>>();

  const tensor = (storage: Storage, { shape, dtype }: TensorSpec): DeviceTensor => {
    const made: DeviceTensor = Object.freeze({ shape: [...shape], dtype });
    storages.set(made, storage);
    return made;
  };
  const storageOf = (what: string, given: unknown): Storage => {
    const known = typeof given === 'object' && given !== null;
    const storage = known ? storages.get(given as DeviceTensor) : undefined;
    if (storage === undefined)
      throw new InputError(
        `${what}: not a tensor of this backend; make one with upload or as the output of a program`,
      );
    if (storage === null)
      throw new InputError(
        `${what}: the tensor was freed or donated; use the one that the program returned`,
      );
    return storage;
  };
  const free = (given: DeviceTensor): void => {
    const storage = storages.get(given);
    if (!storage) return;
    storages.set(given, null);
    memory.release(storage);
  };

  return {
    name: 'onnx',
    device: `${runtime.name}, cpu, ${settings.threads} thread${settings.threads === 1 ? '' : 's'}`,
    capabilities: {
      residentInputs: runtime.residentInputs,
      threads: settings.threads,
      bitExact: true,
    },
    upload(data, shape, dtype) {
      checkData(data, shape, dtype);
      const storage = memory.take(dtype, data.length);
      storage.data.set(data);
      return tensor(storage, { shape, dtype });
    },
    async read(given) {
      return storageOf('read', given).data.slice();
    },
    free,
    async compile<I extends object, O extends object>(
      name: string,
      fn: (inputs: I) => O,
      signature: Signature<I>,
      { donate = [] }: { donate?: readonly (keyof I & string)[] } = {},
    ): Promise<Program<I, O>> {
      const inputs = flatten<TensorSpec>(`program "${name}", signature`, signature, isSpec);
      let outputs: Leaf<tf.Tensor>[] = [];
      let result: unknown;
      const types = inputs.map(({ value: { dtype, shape } }) => ({ type: dtype, shape }));
      const traced = await trace(types, (symbols) => {
        result = fn(rebuild(signature, isSpec, symbols) as I);
        outputs = flatten(`program "${name}", result`, result, isTensor);
        return outputs.map(({ value }) => value);
      });
      const specs = outputs.map(({ value: { dtype, shape } }) => ({
        dtype: dtype as TensorSpec['dtype'],
        shape: [...shape],
      }));
      checkDonations(name, donate, inputs, outputs, specs);
      const graph = optimize(traced, settings.rules);
      const bytes = encode(graph);
      const summary = summarize(graph, bytes.length);
      const profile = settings.profile && `${settings.profile}-${name.replace(/\W+/g, '-')}`;
      // onnxruntime refuses a graph without nodes: constants and inputs handed on need no session.
      const session =
        graph.nodes.length === 0
          ? EMPTY_SESSION
          : await runtime.open(bytes, {
              threads: settings.threads,
              ...(profile ? { profile } : {}),
            });
      const run = runner({ name, graph, session, inputs, result, specs, donate, memory });
      let open = true;
      const program: OnnxProgram<I, O> = {
        summary,
        graph,
        async run(given) {
          if (!open) throw new InputError(`program "${name}" was disposed; compile it again`);
          return (await run(given, storageOf, free, tensor)) as OnDevice<O>;
        },
        dispose() {
          if (!open) return;
          open = false;
          programs.delete(program as Program<object, object>);
          if (profile) session.endProfiling();
          void session.release();
        },
      };
      programs.add(program as Program<object, object>);
      return program;
    },
    async dispose() {
      for (const program of programs) program.dispose();
      memory.clear();
    },
  };
}

const EMPTY_SESSION: Session = {
  run: async () => {},
  endProfiling() {},
  release: async () => {},
};

/** Donated inputs that come out again must do so in the same shape and type. */
function checkDonations(
  name: string,
  donate: readonly string[],
  inputs: readonly Leaf<TensorSpec>[],
  outputs: readonly Leaf<tf.Tensor>[],
  specs: readonly TensorSpec[],
): void {
  const tops = new Set(inputs.map(({ keys }) => keys[0]!));
  for (const key of donate)
    if (!tops.has(key))
      throw new InputError(
        `program "${name}": it cannot donate "${key}", which is no input; inputs: ${[...tops].join(', ')}`,
      );
  for (const { keys, path, value } of inputs) {
    if (!donate.includes(keys[0]!)) continue;
    const out = outputs.findIndex((output) => output.path === path);
    if (out < 0) continue;
    const spec = specs[out]!;
    if (!sameShape(spec.shape, value.shape) || spec.dtype !== value.dtype)
      throw new InputError(
        `program "${name}": donated input ${path} is ${spell(value)} but comes out as ${spell(spec)}; state keeps its shape and type (tf.add(n, 1) turns int32 into float32: add an int32 scalar)`,
      );
  }
}

/** Everything that one run needs. */
interface Plan {
  readonly name: string;
  readonly graph: Graph;
  readonly session: Session;
  readonly inputs: readonly Leaf<TensorSpec>[];
  /** What the function returned: the shape of the tree that a run returns. */
  readonly result: unknown;
  readonly specs: readonly TensorSpec[];
  readonly donate: readonly string[];
  readonly memory: Memory;
}

/** Where an output comes from: the session, an input that passes through, or a constant. */
type Source =
  | { readonly from: 'session'; readonly fetch: number }
  | { readonly from: 'input'; readonly input: number }
  | { readonly from: 'constant'; readonly value: Value };

function runner({ name, graph, session, inputs, result, specs, donate, memory }: Plan) {
  const fetched = graph.outputs.filter(
    (value, i, all) =>
      value.constant === undefined && !graph.inputs.includes(value) && all.indexOf(value) === i,
  );
  const sources = graph.outputs.map((value): Source => {
    if (value.constant !== undefined) return { from: 'constant', value };
    const input = graph.inputs.indexOf(value);
    return input < 0
      ? { from: 'session', fetch: fetched.indexOf(value) }
      : { from: 'input', input };
  });
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  const fed = graph.inputs.map((value) => (used.has(value) ? nameOf(value) : undefined));
  const fetchedAs = fetched.map((value) => ({
    name: nameOf(value),
    dtype: value.type as TensorSpec['dtype'],
    shape: value.shape,
  }));
  const donated = inputs.map(({ keys }) => donate.includes(keys[0]!));

  return async (
    given: unknown,
    storageOf: (what: string, given: unknown) => Storage,
    free: (tensor: DeviceTensor) => void,
    tensor: (storage: Storage, spec: TensorSpec) => DeviceTensor,
  ): Promise<object> => {
    const feeds: Record<string, RuntimeTensor> = {};
    const tensors = inputs.map(({ keys }) => at(given, keys) as DeviceTensor);
    const storages = tensors.map((input, i) => {
      const { path, value: spec } = inputs[i]!;
      const what = `program "${name}", input ${path}`;
      if (input === undefined) throw new InputError(`${what}: missing, wants ${spell(spec)}`);
      const storage = storageOf(what, input);
      if (input.dtype !== spec.dtype || !sameShape(input.shape, spec.shape))
        throw new InputError(`${what}: wants ${spell(spec)}, got ${spell(input)}`);
      const key = fed[i];
      if (key !== undefined) feeds[key] = memory.view(storage, spec.dtype, spec.shape);
      return storage;
    });
    const fetches: Record<string, RuntimeTensor> = {};
    const made = fetchedAs.map(({ name: key, dtype, shape }) => {
      const storage = memory.take(dtype, sizeOf(shape));
      fetches[key] = memory.view(storage, dtype, shape);
      return storage;
    });
    // Held while the session reads them, whatever the caller frees meanwhile.
    for (const storage of storages) storage.references++;
    try {
      if (fetchedAs.length > 0) await session.run(feeds, fetches);
    } catch (error) {
      for (const storage of [...made, ...storages]) memory.release(storage);
      throw error;
    }
    const results = sources.map((source, i) => {
      const spec = specs[i]!;
      let storage: Storage;
      if (source.from === 'session') storage = made[source.fetch]!;
      else if (source.from === 'input') storage = storages[source.input]!;
      else {
        storage = memory.take(spec.dtype, sizeOf(spec.shape));
        storage.data.set(elementsOf(source.value) ?? arrayOf(spec.dtype, 0));
      }
      // Each tensor holds a reference; those of `made` and of constants have one already.
      if (source.from !== 'constant') storage.references++;
      return tensor(storage, spec);
    });
    for (const storage of [...made, ...storages]) memory.release(storage);
    tensors.forEach((input, i) => {
      if (donated[i]) free(input);
    });
    return rebuild(result, isTensor, results);
  };
}
