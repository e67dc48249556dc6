/** The last step before encoding: big constants of one number are made by Expand, not stored. */
import { sizeOf } from '@grok/core';
import { emit, fill, int64s } from '../builder.js';
import { type Graph, type Node, uniformOf, type Value } from '../graph.js';

/** Constants of more elements than this are expanded. */
const STORED = 64;

/** Replaces the big uniform constants that nodes read. */
export function expandUniforms(graph: Graph): Graph {
  const lowered: Graph = { ...graph, nodes: [] };
  const b = { graph: lowered, source: 'constant' };
  const made = new Map<string, Value>();
  const small = (value: Value): Value => {
    const uniform = uniformOf(value);
    const { type, shape } = value;
    if (uniform === undefined || sizeOf(shape) <= STORED) return value;
    const key = `${type} ${uniform} ${shape.join()}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const expanded = emit(b, 'Expand', [fill(b, type, [], uniform), int64s(b, shape)], {
      type,
      shape,
    });
    made.set(key, expanded);
    return expanded;
  };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(small);
    lowered.nodes.push({ ...node, inputs } satisfies Node);
  }
  return lowered;
}
