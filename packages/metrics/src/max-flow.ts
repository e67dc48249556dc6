/** The largest flow through a small network (Edmonds & Karp 1972): shortest augmenting paths until there is none. */

import { addAt } from './sample.js';

/** Capacities `[nodes, nodes]`, row-major, from row to column. */
export interface Network {
  readonly nodes: number;
  readonly capacities: Float64Array;
}

/** Capacities below are rounding. */
const LEAST = 1e-12;

/** The largest flow from `source` to `sink`. */
export function maxFlow({ nodes, capacities }: Network, source: number, sink: number): number {
  const left = capacities.slice();
  let total = 0;
  for (;;) {
    const before = shortestPath(left, nodes, source, sink);
    if (before === undefined) return total;
    const path = walkBack(before, source, sink);
    const least = Math.min(...path.map(([from, to]) => left[from * nodes + to] ?? 0));
    for (const [from, to] of path) {
      addAt(left, from * nodes + to, -least);
      addAt(left, to * nodes + from, least);
    }
    total += least;
  }
}

/** For each node the one before it on a shortest path with capacity left; undefined where the sink is cut off. */
function shortestPath(
  left: Float64Array,
  nodes: number,
  source: number,
  sink: number,
): Int32Array | undefined {
  const before = new Int32Array(nodes).fill(-1);
  before[source] = source;
  const queue = [source];
  for (const node of queue) {
    for (let next = 0; next < nodes; next++)
      if (before[next] === -1 && (left[node * nodes + next] ?? 0) > LEAST) {
        before[next] = node;
        queue.push(next);
      }
    if (before[sink] !== -1) return before;
  }
  return undefined;
}

function walkBack(before: Int32Array, source: number, sink: number): readonly [number, number][] {
  const path: [number, number][] = [];
  for (let node = sink; node !== source; node = before[node] ?? source)
    path.push([before[node] ?? source, node]);
  return path;
}
