/** Summarizes a graph from its nodes. */
import { sizeOf } from '@grok/core';
import type { ProgramSummary } from '@grok/core/internal';
import type { Graph, Node } from './graph.js';

type Product = ProgramSummary['gemms'][number];

const PRODUCTS: ReadonlySet<string> = new Set(['Gemm', 'MatMul', 'FusedMatMul']);

/** The matrix product of a node, if it is one. */
function findProduct({ op, inputs: [x], outputs: [y], attributes }: Node): Product | undefined {
  if (!PRODUCTS.has(op) || x === undefined || y === undefined) return undefined;
  const [m = 1, n = 1] = y.shape.slice(-2);
  const k = x.shape.at(attributes.transA === 1 ? -2 : -1) ?? 1;
  return { m, k, n, batch: sizeOf(y.shape.slice(0, -2)) };
}

/** Counts nodes, matrix products and their floating-point operations. */
export function summarizeGraph(graph: Graph, bytes: number): ProgramSummary {
  const gemms = graph.nodes.flatMap((node) => findProduct(node) ?? []);
  const flops = gemms.reduce((sum, { m, k, n, batch }) => sum + 2 * m * k * n * batch, 0);
  return { nodes: graph.nodes.length, gemms, flops, bytes };
}
