/** One run of a compiled graph: inputs checked and fed, outputs written into memory that was used before. */
import { type DeviceTensor, sizeOf, type TensorSpec, type Tree } from '@grok/core';
import { checkInputs, leavesByPath, treeFromPaths } from '@grok/core/internal';
import { computedOutputs, fedInputs, nameOf } from './encode.js';
import { elementsOf, type Graph, type Value } from './graph.js';
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

type DType = TensorSpec['dtype'];
type Run = (given: Tree<DeviceTensor>) => Promise<Tree<DeviceTensor>>;
/** A value of the model and the part of an array that it lies in. */
interface Piece {
  readonly key: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Which array: of the inputs, or of the fresh ones. */
  readonly array: number;
  readonly offset: number;
}
/** What becomes an output: a fresh array, an input handed on, or elements copied. */
type Source =
  | { readonly fresh: number }
  | { readonly input: number }
  | { readonly copy: (given: readonly Storage[]) => ArrayLike<number> };

/** Prepares all that is the same in every run. */
export function createRunner(plan: Plan): Run {
  const { name, graph, session, memory, device, inputs, made, donate } = plan;
  const outputs = Object.entries(leavesByPath(made));
  const paths = Object.keys(inputs);
  const donated = paths.filter((path) => donate.includes(path.split('/', 1)[0]!));
  const feeding = fedPieces(graph);
  const { arrays, pieces, sources } = planOutputs(graph);

  return async (tree) => {
    const tensors = leavesByPath(tree);
    checkInputs(name, inputs, tensors);
    const given = paths.map((path) =>
      device.storageOf(`program "${name}", input "${path}"`, tensors[path]!),
    );
    const fresh = arrays.map(({ dtype, size }) => memory.take(dtype, size));
    // Held while the session reads them, whatever the caller frees meanwhile.
    for (const storage of given) storage.references++;
    try {
      await session?.run(views(memory, feeding, given), views(memory, pieces, fresh));
      const results = outputs.map(([path, spec], i) => {
        const storage = claim(memory, sources[i]!, spec, given, fresh);
        return [path, device.tensor(storage, spec)] as const;
      });
      for (const path of donated) device.free(tensors[path]!, `was donated to program "${name}"`);
      return treeFromPaths(made, Object.fromEntries(results)) as Tree<DeviceTensor>;
    } finally {
      for (const storage of [...given, ...fresh]) memory.release(storage);
    }
  };
}

/** The runtime's tensors by name. */
function views(
  memory: Memory,
  pieces: readonly Piece[],
  storages: readonly Storage[],
): Record<string, RuntimeTensor> {
  const found: Record<string, RuntimeTensor> = {};
  for (const { key, dtype, shape, array, offset } of pieces)
    found[key] = memory.view(storages[array]!, dtype, shape, offset);
  return found;
}
const pieceOf = (value: Value, array: number, offset: number): Piece => ({
  key: nameOf(value),
  dtype: value.type as DType,
  shape: value.shape,
  array,
  offset,
});

function fedPieces(graph: Graph): Piece[] {
  const places = new Map(graph.views.map((view) => [view.value, view]));
  return fedInputs(graph).map((value) => {
    const { of, offset } = places.get(value) ?? { of: value, offset: 0 };
    return pieceOf(value, graph.inputs.indexOf(of), offset);
  });
}

/** Which arrays a run needs, what the session writes where, and which output is which. */
function planOutputs(graph: Graph) {
  const arrays: { dtype: DType; size: number }[] = [];
  const pieces: Piece[] = [];
  const indices = new Map<Value, number>();
  const joins = new Map(graph.joins.map((join) => [join.value, join.parts]));
  const places = new Map(graph.views.map((view) => [view.value, view]));
  const computed = new Set(computedOutputs(graph));
  const sources = graph.outputs.map((value): Source => {
    const known = indices.get(value);
    if (known !== undefined) return { fresh: known };
    if (value.constant !== undefined) return { copy: () => elementsOf(value)! };
    const input = graph.inputs.indexOf(value);
    if (input >= 0) return { input };
    const view = places.get(value);
    if (view !== undefined) {
      const of = graph.inputs.indexOf(view.of);
      const end = view.offset + sizeOf(value.shape);
      return { copy: (given) => given[of]!.data.subarray(view.offset, end) };
    }
    const array = arrays.push({ dtype: value.type as DType, size: sizeOf(value.shape) }) - 1;
    indices.set(value, array);
    let offset = 0;
    for (const part of joins.get(value) ?? [value]) {
      if (computed.has(part)) pieces.push(pieceOf(part, array, offset));
      offset += sizeOf(part.shape);
    }
    return { fresh: array };
  });
  return { arrays, pieces, sources };
}

/** The storage of an output, with a reference for the tensor to be made over it. */
function claim(
  memory: Memory,
  source: Source,
  { dtype }: TensorSpec,
  given: readonly Storage[],
  fresh: readonly Storage[],
): Storage {
  if ('copy' in source) return memory.copyOf(dtype, source.copy(given));
  const storage = 'fresh' in source ? fresh[source.fresh]! : given[source.input]!;
  // An output outlives what was lent.
  if (storage.lent) return memory.copyOf(dtype, storage.data);
  storage.references++;
  return storage;
}
