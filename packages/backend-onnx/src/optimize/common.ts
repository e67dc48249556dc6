/** Merges equal nodes (the same operator on the same inputs) and equal constants. */
import { type Graph, type Node, readElements, readUniform, type Value } from '../graph.js';
import { withoutDead } from './rewrite.js';

/** Keeps one node per computation and one value per constant. */
export function mergeCommon(graph: Graph): Graph {
  const constants = new Map<string, Value[]>();
  const merged = new Map<Value, Value>();
  const seen = new Map<string, Node>();
  const nodes: Node[] = [];
  // Each part of a join needs its own memory.
  const parts = new Set(graph.joins.flatMap((join) => join.parts));
  const canonical = (value: Value): Value => {
    const known = merged.get(value);
    if (known !== undefined) return known;
    const first = value.constant === undefined ? value : constantLike(constants, value);
    merged.set(value, first);
    return first;
  };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(canonical);
    const ids = inputs.map(({ id }) => id).join();
    const key = `${node.domain}:${node.op} ${JSON.stringify(node.attributes)} ${ids}`;
    const twin = seen.get(key);
    if (twin === undefined || node.outputs.some((output) => parts.has(output))) {
      const kept = { ...node, inputs };
      if (twin === undefined) seen.set(key, kept);
      nodes.push(kept);
    } else
      twin.outputs.forEach((output, i) => {
        const again = node.outputs[i];
        if (again !== undefined) merged.set(again, output);
      });
  }
  return withoutDead({ ...graph, nodes, outputs: graph.outputs.map(canonical) });
}

function constantLike(known: Map<string, Value[]>, value: Value): Value {
  const uniform = readUniform(value);
  const elements = uniform === undefined ? (readElements(value) ?? []) : [uniform];
  const [first, middle] = [elements[0], elements[elements.length >> 1]];
  const key = `${value.type} ${value.shape.join()} ${elements.length} ${first} ${middle}`;
  const alike = known.get(key) ?? [];
  known.set(key, alike);
  const same = alike.find((other) => {
    if (uniform !== undefined) return Object.is(readUniform(other), uniform);
    const theirs = readUniform(other) === undefined ? (readElements(other) ?? []) : [];
    if (theirs.length !== elements.length) return false;
    for (let i = 0; i < elements.length; i++) if (!Object.is(elements[i], theirs[i])) return false;
    return true;
  });
  if (same === undefined) alike.push(value);
  return same ?? value;
}
