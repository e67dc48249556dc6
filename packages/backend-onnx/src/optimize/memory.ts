/**
 * Cutting and joining without copies: a contiguous part of an input is fed as a view of its memory, and
 * an output that is its parts one behind the other is written part by part into one array.
 */
import { sizeOf } from '@grok/core';
import { addValue, type Graph, type Node, sameShape, type Value } from '../graph.js';
import { integers } from './match.js';

interface Place {
  readonly of: Value;
  readonly offset: number;
}

/** Slices along the first axis, and reshapes, of inputs become views. */
export function viewInputs(graph: Graph): Graph {
  const next: Graph = { ...graph, nodes: [] };
  const views = [...graph.views];
  const places = new Map<Value, Place>();
  for (const input of graph.inputs) places.set(input, { of: input, offset: 0 });
  for (const { value, of, offset } of graph.views) places.set(value, { of, offset });
  const replaced = new Map<Value, Value>();
  const known = new Map<string, Value>();
  for (const original of graph.nodes) {
    const node = { ...original, inputs: original.inputs.map((v) => replaced.get(v) ?? v) };
    const place = placeOf(node, places);
    if (place === undefined) {
      next.nodes.push(node);
      continue;
    }
    const [out] = node.outputs as [Value];
    const key = `${place.of.id} ${place.offset} ${out.shape.join()}`;
    let view = known.get(key);
    if (view === undefined) {
      const whole = place.offset === 0 && sameShape(place.of.shape, out.shape);
      view = whole ? place.of : addValue(next, out.type, out.shape);
      if (!whole) views.push({ value: view, ...place });
      known.set(key, view);
      places.set(view, place);
    }
    replaced.set(out, view);
  }
  next.views = views;
  next.outputs = graph.outputs.map((value) => replaced.get(value) ?? value);
  return next;
}
function placeOf(node: Node, places: ReadonlyMap<Value, Place>): Place | undefined {
  const [x, starts, , axes] = node.inputs;
  const place = x && places.get(x);
  if (place === undefined) return undefined;
  if (node.op === 'Reshape') return place;
  if (node.op !== 'Slice' || node.inputs.length > 4) return undefined;
  // Only the first axis that is longer than 1 may be cut: then the part is contiguous.
  const cut = integers(axes);
  const [axis] = cut ?? [];
  if (cut?.length !== 1 || axis === undefined) return undefined;
  if (sizeOf(x!.shape.slice(0, axis)) !== 1) return undefined;
  const row = sizeOf(x!.shape.slice(axis + 1));
  return { of: place.of, offset: place.offset + integers(starts)![0]! * row };
}

/** Outputs that are nothing but parts behind one another are joined by where the parts are written. */
export function joinOutputs(graph: Graph): Graph {
  const computed = new Map<Value, Node>();
  for (const node of graph.nodes) for (const out of node.outputs) computed.set(out, node);
  const uses = new Map<Value, number>();
  for (const node of graph.nodes)
    for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  const taken = new Set(graph.outputs);
  const joins = [...graph.joins];
  const gone = new Set<Node>();
  for (const output of new Set(graph.outputs)) {
    const node = computed.get(output);
    if (node?.op !== 'Concat' || uses.has(output)) continue;
    if (sizeOf(output.shape.slice(0, node.attributes.axis as number)) !== 1) continue;
    const parts = node.inputs;
    const own = parts.every((part) => computed.has(part) && !taken.has(part));
    if (!own || new Set(parts).size < parts.length) continue;
    for (const part of parts) taken.add(part);
    joins.push({ value: output, parts });
    gone.add(node);
  }
  return { ...graph, nodes: graph.nodes.filter((node) => !gone.has(node)), joins };
}
