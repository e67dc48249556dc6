/**
 * The graph that a trace records, as plain data: values (each stamped with its graph), nodes in
 * topological order, inputs and outputs. Operators are those of ONNX
 * (https://onnx.ai/onnx/operators).
 */
import { sizeOf } from '@grok/core';

/** Element types inside a graph; only the first three are allowed as inputs and outputs. */
export type ElementType = 'float32' | 'int32' | 'bool' | 'float64' | 'int64' | 'uint8';
/** Known contents of a value: one number for all elements, or all elements row-major. */
export type Constant =
  | { readonly uniform: number }
  | { readonly elements: ArrayLike<number>; readonly uniform?: undefined };
/** A tensor inside a graph. */
export interface Value {
  readonly id: number;
  /** The graph it belongs to. */
  readonly graph: number;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly constant?: Constant;
  /** What it is called in the model; default: by its number. */
  readonly name?: string;
}
/** A node attribute; `encode.ts` knows which single numbers are floats. */
export type Attribute = number | string | readonly number[] | Body;
/** A graph inside a node, such as the body of a Scan; it may read values of the outer graph. */
export interface Body {
  readonly inputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
}
/** One operator. */
export interface Node {
  readonly op: string;
  /** `''` for ONNX itself, `'com.microsoft'` for onnxruntime's own operators. */
  readonly domain: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** The tfjs op that created it, for profiles. */
  readonly source: string;
}
/** A value that is part of an input's memory, starting at element `offset`; it is fed, not computed. */
interface View {
  readonly value: Value;
  readonly of: Value;
  readonly offset: number;
}
/** An output whose memory is the concatenation of its parts. */
interface Join {
  readonly value: Value;
  readonly parts: readonly Value[];
}
/** A recorded function. */
export interface Graph {
  readonly id: number;
  readonly inputs: Value[];
  views: readonly View[];
  joins: readonly Join[];
  nodes: Node[];
  outputs: Value[];
  /** Id of the next value. */
  next: number;
}

let graphs = 0;
/** An empty graph with its own id. */
export function createGraph(): Graph {
  return { id: ++graphs, inputs: [], views: [], joins: [], nodes: [], outputs: [], next: 0 };
}

/** A new value of `graph`, not yet computed by a node. */
export function addValue(
  graph: Graph,
  type: ElementType,
  shape: readonly number[],
  constant?: Constant,
): Value {
  const value = { id: graph.next++, graph: graph.id, type, shape };
  return constant === undefined ? value : { ...value, constant };
}

/** True when two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, i) => extent === b[i]);
}
/** The one number that fills a constant; otherwise undefined. */
export function readUniform(value: Value): number | undefined {
  return value.constant?.uniform;
}
/** All elements of a constant; otherwise undefined. */
export function readElements(value: Value): ArrayLike<number> | undefined {
  const { constant } = value;
  if (constant === undefined) return undefined;
  if (constant.uniform === undefined) return constant.elements;
  return new Array<number>(sizeOf(value.shape)).fill(constant.uniform);
}
/** A constant from elements; stored as one number if they are all equal. */
export function makeConstant(elements: ArrayLike<number>): Constant {
  const first = elements[0];
  if (first === undefined) return { elements };
  for (let i = 1; i < elements.length; i++) if (!Object.is(elements[i], first)) return { elements };
  return { uniform: first };
}

/**
 * The broadcast shape of two shapes.
 * @throws when they are not compatible.
 */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (m !== n && m !== 1 && n !== 1)
      throw new Error(`shapes [${a.join(', ')}] and [${b.join(', ')}] cannot be broadcast`);
    return m === 1 ? n : m;
  });
}

/** The same graph with values in place of others. */
export function substitute(graph: Graph, replaced: ReadonlyMap<Value, Value>): Graph {
  const now = (value: Value): Value => replaced.get(value) ?? value;
  return {
    ...graph,
    inputs: graph.inputs.map(now),
    outputs: graph.outputs.map(now),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(now),
      outputs: node.outputs.map(now),
    })),
  };
}
