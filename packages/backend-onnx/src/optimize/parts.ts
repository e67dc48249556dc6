/**
 * Elementwise work on one long vector, done part by part: an optimiser over all parameters end to end
 * then works on pieces that stay in the cache, right where each gradient was made, and the vector of
 * gradients is never put together.
 */
import { concat, emit } from '../builder.js';
import {
  addValue,
  type Graph,
  type Join,
  type Node,
  sizeOf,
  type Value,
  type View,
} from '../graph.js';

/** Vectors shorter than this stay in the cache as they are. */
const LONG = 1 << 18;
/** Parts shorter than this are worked on together with their neighbours. */
const SHORT = 1 << 15;

const ELEMENTWISE = new Set('Add Sub Mul Div Sqrt Neg Reciprocal Max Min'.split(' '));

/** Cuts the elementwise cluster around each long Concat that ends in nothing but outputs. */
export function workByParts(graph: Graph): Graph {
  for (const node of graph.nodes) {
    if (node.op !== 'Concat') continue;
    const [out] = node.outputs as [Value];
    if (out.shape.length !== 1 || sizeOf(out.shape) < LONG) continue;
    const cluster = clusterOf(graph, node);
    if (cluster !== undefined) return workByParts(cut(graph, node, cluster));
  }
  return graph;
}

interface Cluster {
  readonly nodes: ReadonlySet<Node>;
  /** Results that are outputs of the graph. */
  readonly exits: ReadonlySet<Value>;
}
/** The elementwise nodes on vectors of that length that hang together with `source`, if they can be cut. */
function clusterOf(graph: Graph, source: Node): Cluster | undefined {
  const [vector] = source.outputs as [Value];
  const [length] = vector.shape as [number];
  const long = (value: Value): boolean => value.shape.length === 1 && value.shape[0] === length;
  const producers = new Map<Value, Node>();
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const given = new Set([...graph.inputs, ...graph.views.map(({ value }) => value)]);
  const outputs = new Set(graph.outputs);
  const nodes = new Set<Node>();
  const pending = [...(readers.get(vector) ?? [])];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (nodes.has(node)) continue;
    const [out] = node.outputs as [Value];
    if (!ELEMENTWISE.has(node.op) || !long(out) || out.type !== 'float32') return undefined;
    nodes.add(node);
    pending.push(...(readers.get(out) ?? []));
    for (const input of node.inputs) {
      if (input === vector || given.has(input) || sizeOf(input.shape) === 1) continue;
      const maker = producers.get(input);
      if (maker === undefined || !long(input)) return undefined;
      pending.push(maker);
    }
  }
  const results = [...nodes].map((node) => node.outputs[0]!);
  const exits = new Set(results.filter((value) => outputs.has(value)));
  return nodes.size === 0 || outputs.has(vector) ? undefined : { nodes, exits };
}

/** Consecutive parts that are worked on together. */
function groupsOf(parts: readonly Value[]): Value[][] {
  const groups: Value[][] = [];
  let open: Value[] = [];
  for (const part of parts) {
    if (sizeOf(part.shape) < SHORT) {
      open.push(part);
      continue;
    }
    if (open.length > 0) groups.push(open);
    groups.push([part]);
    open = [];
  }
  if (open.length > 0) groups.push(open);
  return groups;
}

function cut(graph: Graph, source: Node, { nodes, exits }: Cluster): Graph {
  const next: Graph = { ...graph, nodes: [] };
  const views: View[] = [...graph.views];
  const places = new Map(graph.views.map((view) => [view.value, view]));
  for (const input of graph.inputs) places.set(input, { value: input, of: input, offset: 0 });
  const producers = new Map(graph.nodes.flatMap((n) => n.outputs.map((out) => [out, n] as const)));
  const order = graph.nodes.filter((node) => nodes.has(node));
  const pieces = new Map<Value, Value[]>([...exits].map((value) => [value, []]));
  const [vector] = source.outputs as [Value];

  const emitGroups = (): void => {
    let offset = 0;
    for (const group of groupsOf(source.inputs)) {
      const b = { graph: next, source: source.source };
      // A lone part is taken in its own shape: no Reshape on the way.
      const reshaped = group.length === 1 ? producers.get(group[0]!) : undefined;
      const first = reshaped?.op === 'Reshape' ? reshaped.inputs[0]! : concat(b, group, 0);
      const { shape } = first;
      const known = new Map<Value, Value>([[vector, first]]);
      const piece = (value: Value): Value => {
        if (sizeOf(value.shape) === 1) return value;
        let found = known.get(value);
        if (found === undefined) {
          const place = places.get(value)!;
          found = addValue(next, value.type, shape);
          views.push({ value: found, of: place.of, offset: place.offset + offset });
          known.set(value, found);
        }
        return found;
      };
      for (const node of order) {
        const inputs = node.inputs.map(piece);
        const b = { graph: next, source: node.source };
        const made = emit(b, node.op, inputs, { type: 'float32', shape }, node.attributes);
        const [out] = node.outputs as [Value];
        known.set(out, made);
        pieces.get(out)?.push(made);
      }
      offset += sizeOf(shape);
    }
  };
  for (const node of graph.nodes) {
    if (node === source) continue;
    if (!nodes.has(node)) next.nodes.push(node);
    else if (node === order.at(-1)) emitGroups();
  }
  const joins: Join[] = [...graph.joins];
  for (const [value, parts] of pieces) joins.push({ value, parts });
  return { ...next, views, joins };
}
