/** What a graph does, counted from its nodes. */
import { sizeOf } from '@grok/core';
import type { ProgramSummary } from '@grok/core/internal';
import type { Graph, Node } from './graph.js';

type Product = ProgramSummary['gemms'][number];

/** The matrix product that a node is, if it is one. */
function productOf(node: Node): Product | undefined {
  const [x, ,] = node.inputs;
  const [y] = node.outputs;
  if (!['Gemm', 'MatMul', 'FusedMatMul'].includes(node.op)) return undefined;
  const [m, n] = y!.shape.slice(-2) as [number, number];
  const k = x!.shape.at(node.attributes.transA === 1 ? -2 : -1)!;
  return { m, k, n, batch: sizeOf(y!.shape.slice(0, -2)) };
}

/** Counts nodes, matrix products and their floating-point operations. */
export function summarize(graph: Graph, bytes: number): ProgramSummary {
  const gemms = graph.nodes.flatMap((node) => productOf(node) ?? []);
  const flops = gemms.reduce((sum, { m, k, n, batch }) => sum + 2 * m * k * n * batch, 0);
  return { nodes: graph.nodes.length, gemms, flops, bytes };
}
