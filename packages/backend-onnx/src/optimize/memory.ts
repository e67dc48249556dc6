/**
 * Avoids copies: a contiguous part of an input is fed as a view of its memory, and an output that
 * is a concatenation is written part by part into one array.
 */
import { sizeOf } from '@grok/core';
import { addValue, type Graph, type Node, sameShape, type Value } from '../graph.js';
import { integers, numberAttribute } from './inspect.js';
import { rebuild, withoutDead } from './rewrite.js';

interface Place {
  readonly of: Value;
  readonly offset: number;
}

/** Turns slices along the first axis, and reshapes, of inputs into views. */
export function viewInputs(graph: Graph): Graph {
  const views = [...graph.views];
  const places = new Map<Value, Place>();
  for (const input of graph.inputs) places.set(input, { of: input, offset: 0 });
  for (const { value, of, offset } of graph.views) places.set(value, { of, offset });
  const known = new Map<string, Value>();
  const viewed = rebuild(graph, ({ graph: next, node, out }) => {
    const place = findPlace(node, places);
    if (place === undefined) return undefined;
    const whole = place.offset === 0 && sameShape(place.of.shape, out.shape);
    const key = `${place.of.id} ${place.offset} ${out.shape.join()}`;
    const view = known.get(key) ?? (whole ? place.of : addValue(next, out.type, out.shape));
    if (!whole && !known.has(key)) views.push({ value: view, ...place });
    known.set(key, view);
    places.set(view, place);
    return view;
  });
  return withoutDead({ ...viewed, views });
}
function findPlace({ op, inputs }: Node, places: ReadonlyMap<Value, Place>): Place | undefined {
  const [x, starts, , axes] = inputs;
  const place = x && places.get(x);
  if (x === undefined || place === undefined || op === 'Reshape') return place;
  if (op !== 'Slice' || inputs.length > 4) return undefined;
  // Only the first axis with a size above 1 may be sliced, so that the part is contiguous.
  const [axis, ...others] = integers(axes) ?? [];
  const [start] = integers(starts) ?? [];
  if (axis === undefined || start === undefined || others.length > 0) return undefined;
  if (sizeOf(x.shape.slice(0, axis)) !== 1) return undefined;
  return { of: place.of, offset: place.offset + start * sizeOf(x.shape.slice(axis + 1)) };
}

/** Turns concatenated outputs into joins, whose parts are written in place. */
export function joinOutputs(graph: Graph): Graph {
  const computed = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((out) => [out, node] as const)),
  );
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  const taken = new Set(graph.outputs);
  const joins = [...graph.joins];
  const gone = new Set<Node>();
  for (const value of new Set(graph.outputs)) {
    const node = computed.get(value);
    if (node?.op !== 'Concat' || used.has(value)) continue;
    if (sizeOf(value.shape.slice(0, numberAttribute(node, 'axis', 0))) !== 1) continue;
    const parts = node.inputs;
    const own = parts.every((part) => computed.has(part) && !taken.has(part));
    if (!own || new Set(parts).size < parts.length) continue;
    for (const part of parts) taken.add(part);
    joins.push({ value, parts });
    gone.add(node);
  }
  return { ...graph, nodes: graph.nodes.filter((node) => !gone.has(node)), joins };
}
