/** Rewrites a graph into one that computes the same faster. Every rule has a name and a switch. */
import type { Graph } from '../graph.js';
import { mergeCommon } from './common.js';
import { logSoftmax, rmsNorms, rope, silu, squareSums } from './fused.js';
import { gatedAdds } from './gated.js';
import { expandUniforms } from './lower.js';
import { joinOutputs, viewInputs } from './memory.js';
import { decays, scalars, scales, scalesIntoProducts, sumsIntoProducts } from './products.js';
import { type Rule, rewrite, withoutDead } from './rewrite.js';
import { rowSums } from './scatter.js';
import {
  longProducts,
  pads,
  reshapes,
  reshapesLast,
  transposes,
  transposesIntoProducts,
} from './shapes.js';
import { broadcasts, constants, neutral, signs, slices, sums, undone } from './simplify.js';

/** Switches of the rules, all on unless set to false. */
export type Rules = Readonly<Record<string, boolean | undefined>>;

/** Rules that look at one node, by the name of their switch. */
const local: Readonly<Record<string, readonly Rule[]>> = {
  constants: [constants, sums],
  neutral: [neutral, undone],
  signs: [signs],
  broadcasts: [broadcasts, slices],
  reshapes: [reshapes, reshapesLast],
  transposes: [transposes, transposesIntoProducts],
  pads: [pads],
  scales: [scales, scalesIntoProducts],
  scalars: [scalars],
  decays: [decays],
  silu: [silu],
  logSoftmax: [logSoftmax],
  squareSums: [squareSums],
  rowSums: [rowSums],
};
/** Names of the rules, for switches. */
export const ruleNames: readonly string[] = [
  ...Object.keys(local),
  'common',
  'rope',
  'rmsNorm',
  'sumsIntoProducts',
  'views',
  'joins',
  'gatedAdds',
  'longProducts',
];

/** The same function, in fewer and cheaper nodes. */
export function optimize(graph: Graph, rules: Rules): Graph {
  const on = (name: string): boolean => rules[name] !== false;
  const chosen = Object.entries(local).flatMap(([name, list]) => (on(name) ? list : []));
  const merge = (g: Graph): Graph => (on('common') ? mergeCommon(g) : g);
  let best = merge(withoutDead(graph));
  if (on('views')) best = viewInputs(best);
  // While its parts have the shapes that they were written in.
  if (on('rope')) best = rewrite(best, [rope]);
  best = merge(rewrite(best, chosen));
  if (on('rmsNorm')) best = rmsNorms(best);
  if (on('sumsIntoProducts')) best = rewrite(best, [sumsIntoProducts]);
  best = merge(rewrite(best, chosen));
  if (on('joins')) best = joinOutputs(best);
  if (on('gatedAdds')) best = merge(rewrite(best, [gatedAdds]));
  if (on('longProducts')) best = merge(rewrite(best, [longProducts]));
  return expandUniforms(best);
}
