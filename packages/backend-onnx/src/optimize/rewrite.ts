/**
 * The rewriter: it walks a graph in order, offers each node to the rules for its operator, and
 * repeats until none matches. A rule is a pattern and a replacement for the node that matches it.
 * Nodes that nothing needs anymore are dropped.
 */
import type { Builder } from '../builder.js';
import type { Graph, Node, Value } from '../graph.js';
import { type Known, match, type Pattern } from './pattern.js';

/** The place of a rewrite; emitted nodes come before the rewritten node. */
export interface RewriteSite extends Builder, Known {
  /** The node, and its first output. */
  readonly node: Node;
  readonly out: Value;
}
/** Returns the replacement of a node's output; undefined keeps the node. */
type Replace = (site: RewriteSite) => Value | undefined;
/** A pattern that ends in one node, and the replacement of that node. */
export interface Rule {
  readonly pattern: Pattern;
  readonly replace: Replace;
}
/** Creates a rule; if `write` rejects the captures (undefined), the next match is tried. */
export function rule<F>(
  pattern: Pattern<F>,
  write: (found: F, site: RewriteSite) => Value | undefined,
): Rule {
  return { pattern, replace: (site) => match(pattern, site.node, site, write) };
}

/** More rounds than any graph has needed; two rules that undo each other would never end. */
const ROUNDS = 50;

/** Applies rules until none matches. */
export function rewrite(graph: Graph, rules: readonly Rule[]): Graph {
  const byOp = new Map<string, Replace[]>();
  for (const { pattern, replace } of rules)
    for (const op of pattern.ops ?? []) byOp.set(op, [...(byOp.get(op) ?? []), replace]);
  let current = graph;
  for (let round = 0; round < ROUNDS; round++) {
    let fired = false;
    const next = rebuild(current, (site) => {
      for (const replace of byOp.get(site.node.op) ?? []) {
        const result = replace(site);
        if (result === undefined) continue;
        fired = true;
        return result;
      }
      return undefined;
    });
    if (!fired) return current;
    current = withoutDead(next);
  }
  throw new Error(`rewriting did not settle in ${ROUNDS} rounds; two rules undo each other`);
}

/** One walk over the graph that applies `replace` to each node. */
export function rebuild(graph: Graph, replace: Replace): Graph {
  const next: Graph = { ...graph, nodes: [] };
  const { producer, uses } = createKnown(graph, next.nodes);
  const replaced = new Map<Value, Value>();
  const now = (value: Value): Value => replaced.get(value) ?? value;
  for (const original of graph.nodes) {
    const changed = original.inputs.some((value) => replaced.has(value));
    const node = changed ? { ...original, inputs: original.inputs.map(now) } : original;
    const [out] = node.outputs;
    const result = out && replace({ graph: next, source: node.source, node, out, producer, uses });
    if (out === undefined || result === undefined) next.nodes.push(node);
    else replaced.set(out, result);
  }
  next.outputs = graph.outputs.map(now);
  next.joins = graph.joins.map(({ value, parts }) => ({ value, parts: parts.map(now) }));
  return next;
}

/** The captures of every match of `pattern` in the graph, in node order. */
export function findAll<F>(graph: Graph, pattern: Pattern<F>): F[] {
  const known = createKnown(graph, graph.nodes);
  const roots = graph.nodes.filter(({ op }) => pattern.ops?.includes(op));
  return roots.flatMap((node) => match(pattern, node, known, (found) => found) ?? []);
}

/** Readers as in `graph`; producers among `nodes`, which may grow. */
function createKnown(graph: Graph, nodes: readonly Node[]): Known {
  const producers = new Map<Value, Node>();
  let indexed = 0;
  const counts = countUses(graph);
  return {
    producer(value) {
      for (let node = nodes[indexed]; node !== undefined; node = nodes[++indexed])
        for (const output of node.outputs) producers.set(output, node);
      return producers.get(value);
    },
    uses: (value) => counts.get(value) ?? Number.POSITIVE_INFINITY,
  };
}
function countUses(graph: Graph): Map<Value, number> {
  const counts = new Map<Value, number>();
  const count = (value: Value) => counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(count);
  for (const { parts } of graph.joins) parts.forEach(count);
  graph.outputs.forEach(count);
  return counts;
}

/** Drops nodes that no output of the graph depends on. */
export function withoutDead(graph: Graph): Graph {
  const parts = new Map(graph.joins.map((join) => [join.value, join.parts]));
  const needed = new Set(graph.outputs.flatMap((value) => parts.get(value) ?? [value]));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const input of node.inputs) needed.add(input);
    nodes.push(node);
  }
  const views = graph.views.filter(({ value }) => needed.has(value));
  return { ...graph, views, nodes: nodes.reverse() };
}
