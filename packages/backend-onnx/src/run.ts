/** One run of a compiled graph: outputs are written into memory that was used before. */
import { type DType, sizeOf } from '@grok/core';
import { isDType } from '@grok/core/internal';
import { computedOutputs, fedInputs, nameOf } from './encode.js';
import { elementsOf, type Graph, type Value } from './graph.js';
import type { Memory, Storage } from './memory.js';
import type { RuntimeTensor, Session } from './session.js';

/** A value of the model, and where it lies: from element `offset` on in the array of `of`. */
interface Piece {
  readonly value: Value;
  readonly of: Value;
  readonly offset: number;
}
/** The arrays of one run by the graph's inputs and computed outputs. */
type Arrays = Map<Value, Storage>;

/** Prepares all that is the same in every run; `session` is absent where every output is an input or a constant. */
export function createRunner(of: {
  readonly graph: Graph;
  readonly session: Session | undefined;
  readonly memory: Memory;
}): (given: readonly Storage[]) => Promise<readonly Storage[]> {
  const { graph, session, memory } = of;
  const placesInInputs = new Map(graph.views.map((view) => [view.value, view]));
  const fed = fedInputs(graph).map(
    (value): Piece => placesInInputs.get(value) ?? { value, of: value, offset: 0 },
  );
  const computed = findComputed(graph);
  const written = findWritten(graph, computed);

  return async (given) => {
    const arrays: Arrays = new Map(
      graph.inputs.flatMap((value, i) => {
        const storage = given[i];
        return storage === undefined ? [] : [[value, storage] as const];
      }),
    );
    for (const value of computed)
      arrays.set(value, memory.take(dtypeOf(value), sizeOf(value.shape)));
    try {
      await session?.run(makeViews(memory, fed, arrays), makeViews(memory, written, arrays));
    } catch (error) {
      for (const value of computed) memory.release(findArray(arrays, value));
      throw error;
    }
    return graph.outputs.map((value) => {
      const constant = elementsOf(value);
      if (constant !== undefined) return memory.copyOf(dtypeOf(value), constant);
      const place = placesInInputs.get(value);
      const storage = findArray(arrays, place?.of ?? value);
      // An output outlives what was lent.
      if (place === undefined && !storage.lent) return storage;
      const { offset } = place ?? { offset: 0 };
      const part = storage.data.subarray(offset, offset + sizeOf(value.shape));
      return memory.copyOf(dtypeOf(value), part);
    });
  };
}

/** Outputs that need arrays of their own: not constant, no input, no part of one. */
function findComputed(graph: Graph): ReadonlySet<Value> {
  const given = new Set([...graph.inputs, ...graph.views.map(({ value }) => value)]);
  return new Set(graph.outputs.filter((value) => !given.has(value) && !value.constant));
}
/** What the session writes where: whole outputs, or the parts of which one is joined. */
function findWritten(graph: Graph, outputs: ReadonlySet<Value>): readonly Piece[] {
  const joins = new Map(graph.joins.map((join) => [join.value, join.parts]));
  const computed = new Set(computedOutputs(graph));
  return [...outputs].flatMap((of) => {
    let offset = 0;
    const pieces = (joins.get(of) ?? [of]).map((value): Piece => {
      const piece = { value, of, offset };
      offset += sizeOf(value.shape);
      return piece;
    });
    return pieces.filter(({ value }) => computed.has(value));
  });
}

/** The runtime's tensors by name. */
function makeViews(
  memory: Memory,
  pieces: readonly Piece[],
  arrays: Arrays,
): Record<string, RuntimeTensor> {
  const views: Record<string, RuntimeTensor> = {};
  for (const { value, of, offset } of pieces)
    views[nameOf(value)] = memory.view(findArray(arrays, of), dtypeOf(value), value.shape, offset);
  return views;
}

function findArray(arrays: Arrays, value: Value): Storage {
  const storage = arrays.get(value);
  if (storage === undefined) throw new Error(`onnx: value ${nameOf(value)} has no array`);
  return storage;
}

/** @throws when a value of a type inside graphs only crosses the seam. */
function dtypeOf({ type }: Value): DType {
  if (!isDType(type)) throw new Error(`onnx: ${type} cannot be an input or an output`);
  return type;
}
