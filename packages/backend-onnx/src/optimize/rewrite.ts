/**
 * The rewriting machine: walks a graph in order, offers each node to every rule, and repeats until no
 * rule fires. A rule looks at one node and what made its inputs, writes better nodes in its place and
 * returns the values that replace the node's outputs. Nodes that nobody needs any more are dropped.
 */
import type { Builder } from '../builder.js';
import type { Graph, Node, Value } from '../graph.js';

/** Where a rule works: nodes that it emits come before the node it looks at. */
export interface Site extends Builder {
  /** The node that makes `value`, as rewritten so far; undefined for inputs and constants. */
  producer(value: Value): Node | undefined;
  /** How many nodes and outputs read `value`; Infinity for one made in this round, whose readers are unknown. */
  uses(value: Value): number;
}
/** Returns replacements of the node's outputs, or undefined to leave it alone. */
type Apply = (node: Node, site: Site) => readonly Value[] | undefined;
/** A rule and the operators that it looks at; none stand for all. */
export interface Rule {
  readonly ops: readonly string[];
  readonly apply: Apply;
}
/** A rule for the operators named, with spaces between. */
export function rule(ops: string, apply: Apply): Rule {
  return { ops: ops.split(' ').filter((op) => op !== ''), apply };
}

/** More rounds than any graph has needed; a pair of rules that undo each other would never end. */
const ROUNDS = 50;

/** Applies rules until none fires. */
export function rewrite(graph: Graph, rules: readonly Rule[]): Graph {
  const byOp = dispatch(rules);
  let current = withoutDead(graph);
  for (let round = 0; round < ROUNDS; round++) {
    const next = once(current, byOp);
    if (next === undefined) return current;
    current = withoutDead(next);
  }
  throw new Error(`rewriting did not settle in ${ROUNDS} rounds; two rules undo each other`);
}

/** One walk; undefined when no rule fired. */
function once(graph: Graph, rules: Dispatch): Graph | undefined {
  const next: Graph = { ...graph, nodes: [] };
  const counts = usesOf(graph);
  const producers = new Map<Value, Node>();
  const replaced = new Map<Value, Value>();
  let indexed = 0;
  let fired = false;
  const producer = (value: Value): Node | undefined => {
    for (; indexed < next.nodes.length; indexed++)
      for (const output of next.nodes[indexed]!.outputs)
        producers.set(output, next.nodes[indexed]!);
    return producers.get(value);
  };
  const uses = (value: Value): number => counts.get(value) ?? Number.POSITIVE_INFINITY;
  for (const original of graph.nodes) {
    const changed = original.inputs.some((value) => replaced.has(value));
    const node = changed
      ? { ...original, inputs: original.inputs.map((value) => replaced.get(value) ?? value) }
      : original;
    const site: Site = { graph: next, source: node.source, producer, uses };
    const result = firstMatch(rules(node.op), node, site);
    if (result === undefined) next.nodes.push(node);
    else {
      fired = true;
      node.outputs.forEach((output, i) => {
        replaced.set(output, result[i]!);
      });
    }
  }
  if (!fired) return undefined;
  const now = (value: Value): Value => replaced.get(value) ?? value;
  next.outputs = graph.outputs.map(now);
  next.joins = graph.joins.map(({ value, parts }) => ({ value, parts: parts.map(now) }));
  return next;
}

type Dispatch = (op: string) => readonly Apply[];
/** Rules by the operator of the node to be looked at. */
function dispatch(rules: readonly Rule[]): Dispatch {
  const known = new Map<string, readonly Apply[]>();
  return (op) => {
    let found = known.get(op);
    if (found === undefined) {
      found = rules
        .filter(({ ops }) => ops.length === 0 || ops.includes(op))
        .map(({ apply }) => apply);
      known.set(op, found);
    }
    return found;
  };
}

function firstMatch(rules: readonly Apply[], node: Node, site: Site): readonly Value[] | undefined {
  for (const apply of rules) {
    const result = apply(node, site);
    if (result !== undefined) return result;
  }
  return undefined;
}

function usesOf(graph: Graph): Map<Value, number> {
  const counts = new Map<Value, number>();
  const count = (value: Value) => counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(count);
  for (const { parts } of graph.joins) parts.forEach(count);
  graph.outputs.forEach(count);
  return counts;
}

/** Drops nodes whose outputs lead to no output of the graph. */
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
