/**
 * A graph for any number of rows, out of two that were recorded for different numbers: where they differ, rows
 * are counted. A Reshape can find their number itself; what else depends on it is computed from the input's shape.
 */
import { InputError } from '@grok/core';
import { type Builder, emit, emitAdd, emitMul, int64s, slice } from './builder.js';
import { FREE } from './encode.js';
import {
  type Graph,
  makeConstant,
  type Node,
  readElements,
  substitute,
  type Value,
} from './graph.js';

/** A graph whose first input has so many rows. */
export interface Recorded {
  readonly graph: Graph;
  readonly rows: number;
}

/** The first graph with its rows left open. @throws InputError on an operation that is fixed to a number of rows. */
export function freeRows(first: Recorded, second: Recorded): Graph {
  const [a, b] = [first.graph, second.graph];
  if (a.nodes.length !== b.nodes.length) throw fixed('the list of operations');
  const next: Graph = { ...a, nodes: [] };
  const count = createCounter(next, [first.rows, second.rows]);
  for (const [i, node] of a.nodes.entries()) next.nodes.push(freeNode(node, b.nodes[i], count));
  const ends = (graph: Graph): readonly Value[] => [...graph.inputs, ...graph.outputs];
  const others = ends(b);
  const open = ends(a).map((value, i): [Value, Value] => [
    value,
    { ...value, shape: freeShape(value.shape, others[i]?.shape ?? []) },
  ]);
  return substitute(next, new Map(open));
}

/** Gives a list of integers that depends on the rows, from what it is for two numbers of them. */
type Count = (a: readonly number[], b: readonly number[]) => Value;

function createCounter(graph: Graph, [few, many]: readonly [number, number]): Count {
  const builder: Builder = { graph, source: 'rows' };
  let rows: Value | undefined;
  return (a, b) => {
    rows ??= countRows(builder);
    const slopes = a.map((extent, i) => ((b[i] ?? extent) - extent) / (many - few));
    const constants = a.map((extent, i) => extent - (slopes[i] ?? 0) * few);
    return emitAdd(
      builder,
      emitMul(builder, int64s(builder, slopes), rows),
      int64s(builder, constants),
    );
  };
}

function countRows(b: Builder): Value {
  const [inputs] = b.graph.inputs;
  if (inputs === undefined) throw new RangeError('a model without inputs has no rows');
  const shape = emit(b, 'Shape', [inputs], { type: 'int64', shape: [inputs.shape.length] });
  return slice(b, shape, [0], [1]);
}

function freeNode(node: Node, other: Node | undefined, count: Count): Node {
  const subject = `the operation ${node.op} of tf.${node.source}`;
  if (node.op !== other?.op || JSON.stringify(node.attributes) !== JSON.stringify(other.attributes))
    throw fixed(subject);
  const inputs = node.inputs.map((value, i) => {
    const [mine, theirs] = [value, other.inputs[i] ?? value].map(readElements);
    if (mine === undefined || theirs === undefined) return value;
    const [a, b] = [Array.from(mine), Array.from(theirs)];
    if (a.length !== b.length) throw fixed(subject);
    const free = freeShape(a, b);
    if (!free.includes(FREE)) return value;
    if (value.type !== 'int64') throw fixed(subject);
    const isShape = node.op === 'Reshape' && i === 1;
    return isShape && free.filter((extent) => extent === FREE).length === 1
      ? { ...value, constant: makeConstant(free) }
      : count(a, b);
  });
  return { ...node, inputs };
}

function freeShape(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.map((extent, i) => (extent === b[i] ? extent : FREE));
}

function fixed(what: string): InputError {
  return new InputError(
    `exporter "onnx": ${what} depends on the number of rows, which an ONNX file leaves open; the model cannot be exported`,
  );
}
