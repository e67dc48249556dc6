/** Rewrites a graph into one that computes the same faster. */
import type { Graph } from '../graph.js';
import { expandUniforms } from './lower.js';

/** Switches of the rules, all on unless set to false. */
export type Rules = Readonly<Record<string, boolean | undefined>>;

/** Names of the rules, for switches. */
export const ruleNames: readonly string[] = [];

export function optimize(graph: Graph, _rules: Rules): Graph {
  return expandUniforms(graph);
}
