/** One run of a compiled graph: inputs checked and fed, outputs written into memory that was used before. */
import {
  checkInputs,
  type DeviceTensor,
  leavesByPath,
  type TensorSpec,
  type Tree,
  treeFromPaths,
} from '@grok/core';
import { computedOutputs, nameOf } from './encode.js';
import { elementsOf, type Graph, sizeOf, type Value } from './graph.js';
import type { Memory, Storage } from './memory.js';
import type { RuntimeTensor, Session } from './session.js';

/** Device tensors and what lies behind them. */
export interface Device {
  tensor(storage: Storage, spec: TensorSpec): DeviceTensor;
  /** @throws InputError when a tensor is foreign or dead. */
  storageOf(what: string, given: DeviceTensor): Storage;
  free(given: DeviceTensor, fate: string): void;
}
/** Everything that one run needs. */
export interface Plan {
  readonly name: string;
  readonly graph: Graph;
  /** None where every output is an input or a constant. */
  readonly session: Session | undefined;
  readonly memory: Memory;
  readonly device: Device;
  /** Inputs by path, in the order of the graph's. */
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  /** The tree of outputs. */
  readonly made: Tree<TensorSpec>;
  readonly donate: readonly string[];
}

type Run = (given: Tree<DeviceTensor>) => Promise<Tree<DeviceTensor>>;

/** Prepares all that is the same in every run. */
export function createRunner(plan: Plan): Run {
  const { name, graph, session, memory, device, inputs, made, donate } = plan;
  const outputs = Object.entries(leavesByPath(made));
  const computed = computedOutputs(graph);
  const fetched = computed.map((value) => ({
    key: nameOf(value),
    dtype: value.type as TensorSpec['dtype'],
    shape: value.shape,
    size: sizeOf(value.shape),
  }));
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  const feeding = Object.entries(inputs).map(([path, spec], i) => {
    const value = graph.inputs[i]!;
    const donated = donate.includes(path.split('/', 1)[0]!);
    return { path, spec, donated, key: used.has(value) ? nameOf(value) : undefined };
  });

  /** The storage of an output, with a reference for the tensor to be made over it. */
  const claim = (value: Value, given: readonly Storage[], fresh: readonly Storage[]): Storage => {
    if (value.constant !== undefined) {
      const storage = memory.take(value.type as TensorSpec['dtype'], sizeOf(value.shape));
      storage.data.set(elementsOf(value)!);
      return storage;
    }
    const input = graph.inputs.indexOf(value);
    const storage = input < 0 ? fresh[computed.indexOf(value)]! : given[input]!;
    storage.references++;
    return storage;
  };

  return async (tree) => {
    const tensors = leavesByPath(tree);
    checkInputs(name, inputs, tensors);
    const feeds: Record<string, RuntimeTensor> = {};
    const given = feeding.map(({ path, spec, key }) => {
      const storage = device.storageOf(`program "${name}", input "${path}"`, tensors[path]!);
      if (key !== undefined) feeds[key] = memory.view(storage, spec.dtype, spec.shape);
      return storage;
    });
    const fetches: Record<string, RuntimeTensor> = {};
    const fresh = fetched.map(({ key, dtype, shape, size }) => {
      const storage = memory.take(dtype, size);
      fetches[key] = memory.view(storage, dtype, shape);
      return storage;
    });
    // Held while the session reads them, whatever the caller frees meanwhile.
    for (const storage of given) storage.references++;
    try {
      await session?.run(feeds, fetches);
      const results = outputs.map(([path, spec], i) => {
        return [path, device.tensor(claim(graph.outputs[i]!, given, fresh), spec)] as const;
      });
      for (const { path, donated } of feeding)
        if (donated) device.free(tensors[path]!, `was donated to program "${name}"`);
      return treeFromPaths(made, Object.fromEntries(results)) as Tree<DeviceTensor>;
    } finally {
      for (const storage of [...given, ...fresh]) memory.release(storage);
    }
  };
}
