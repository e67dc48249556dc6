/** The last step before encoding: large uniform constants are created by Expand instead of being stored. */
import { sizeOf } from '@grok/core';
import * as make from '../builder.js';
import { type Graph, readUniform, type Value } from '../graph.js';

/** Constants with more elements than this are expanded. */
const STORED = 64;

/** Replaces the large uniform constants that nodes read. */
export function expandUniforms(graph: Graph): Graph {
  const lowered: Graph = { ...graph, nodes: [] };
  const b = { graph: lowered, source: 'constant' };
  const expanded = new Map<string, Value>();
  const small = (value: Value): Value => {
    const uniform = readUniform(value);
    const { type, shape } = value;
    if (uniform === undefined || sizeOf(shape) <= STORED) return value;
    const key = `${type} ${uniform} ${shape.join()}`;
    const known = expanded.get(key);
    if (known !== undefined) return known;
    const inputs = [make.fill(b, type, [], uniform), make.int64s(b, shape)];
    const tiled = make.emit(b, 'Expand', inputs, value);
    expanded.set(key, tiled);
    return tiled;
  };
  for (const node of graph.nodes) lowered.nodes.push({ ...node, inputs: node.inputs.map(small) });
  return lowered;
}
