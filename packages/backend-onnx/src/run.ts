/** Runs a compiled graph; outputs are written to reused memory. */
import { type DType, sizeOf } from '@grok/core';
import { isDType } from '@grok/core/internal';
import { computedOutputs, fedInputs, formatName } from './encode.js';
import { type Graph, readElements, type Value } from './graph.js';
import type { Memory, Storage } from './memory.js';
import type { RuntimeTensor, Session } from './session.js';

/** Where a value of the model is stored: from element `offset` in the array of `of`. */
interface Piece {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly of: Value;
  readonly offset: number;
}
/** The arrays of one run, by the graph's inputs and computed outputs. */
type Arrays = Map<Value, Storage>;

/** Prepares everything that is the same in every run; `session` is missing if every output is an input or a constant. */
export function createRunner(of: {
  readonly graph: Graph;
  readonly session: Session | undefined;
  readonly memory: Memory;
}): (given: readonly Storage[]) => Promise<readonly Storage[]> {
  const { graph, session, memory } = of;
  const placesInInputs = new Map(graph.views.map((view) => [view.value, view]));
  const locatePiece = (value: Value): Piece => {
    const { of, offset } = placesInInputs.get(value) ?? { of: value, offset: 0 };
    return describePiece(value, of, offset);
  };
  const fed = fedInputs(graph).map(locatePiece);
  const computed = findComputed(graph);
  const taken = [...computed].map((value) => describePiece(value, value, 0));
  const written = findWritten(graph, computed);
  const outputs = graph.outputs.map((value) => ({
    constant: readElements(value),
    isWhole: !placesInInputs.has(value),
    piece: locatePiece(value),
    size: sizeOf(value.shape),
  }));

  return async (given) => {
    const arrays: Arrays = new Map(
      graph.inputs.flatMap((value, i) => {
        const storage = given[i];
        return storage === undefined ? [] : [[value, storage] as const];
      }),
    );
    for (const { of, dtype, shape } of taken) arrays.set(of, memory.take(dtype, sizeOf(shape)));
    try {
      await session?.run(makeViews(memory, fed, arrays), makeViews(memory, written, arrays));
    } catch (error) {
      for (const piece of taken) memory.release(findArray(arrays, piece));
      throw error;
    }
    return outputs.map(({ constant, isWhole, piece, size }) => {
      if (constant !== undefined) return memory.copyOf(piece.dtype, constant);
      const storage = findArray(arrays, piece);
      // An output may outlive lent memory.
      if (isWhole && !storage.lent) return storage;
      const part = storage.data.subarray(piece.offset, piece.offset + size);
      return memory.copyOf(piece.dtype, part);
    });
  };
}

/** @throws when the type of an input or output exists only inside graphs. */
function describePiece(value: Value, of: Value, offset: number): Piece {
  const { type, shape } = value;
  if (!isDType(type)) throw new Error(`onnx: ${type} cannot be an input or an output`);
  return { name: formatName(value), dtype: type, shape, of, offset };
}

/** Outputs that need their own arrays: neither constants, nor inputs or parts of inputs. */
function findComputed(graph: Graph): ReadonlySet<Value> {
  const given = new Set([...graph.inputs, ...graph.views.map(({ value }) => value)]);
  return new Set(graph.outputs.filter((value) => !given.has(value) && !value.constant));
}
/** What the session writes, and where: whole outputs, or the parts of joins. */
function findWritten(graph: Graph, outputs: ReadonlySet<Value>): readonly Piece[] {
  const joins = new Map(graph.joins.map((join) => [join.value, join.parts]));
  const computed = new Set(computedOutputs(graph));
  return [...outputs].flatMap((of) => {
    let offset = 0;
    return (joins.get(of) ?? [of]).flatMap((value): readonly Piece[] => {
      const piece = describePiece(value, of, offset);
      offset += sizeOf(value.shape);
      return computed.has(value) ? [piece] : [];
    });
  });
}

/** The runtime's tensors by name. */
function makeViews(
  memory: Memory,
  pieces: readonly Piece[],
  arrays: Arrays,
): Record<string, RuntimeTensor> {
  const views: Record<string, RuntimeTensor> = {};
  for (const piece of pieces)
    views[piece.name] = memory.view(
      findArray(arrays, piece),
      piece.dtype,
      piece.shape,
      piece.offset,
    );
  return views;
}

function findArray(arrays: Arrays, { of, name }: Piece): Storage {
  const storage = arrays.get(of);
  if (storage === undefined) throw new Error(`onnx: value ${name} has no array`);
  return storage;
}
