/** Rewrites a graph into one that computes the same faster. Every pass has a name, which is its switch. */
import type { Graph } from '../graph.js';
import { mergeCommon } from './common.js';
import { logSoftmax, rmsNorms, rope, silu, squareSums } from './fused.js';
import { gatedAdds } from './gated.js';
import { expandUniforms } from './lower.js';
import { joinOutputs, viewInputs } from './memory.js';
import { decays, scalars, scales, sumsIntoProducts } from './products.js';
import { type Rule, rewrite, withoutDead } from './rewrite.js';
import { rowSums } from './scatter.js';
import { pads, reshapes, tallGemm, transposes } from './shapes.js';
import { broadcasts, constants, neutral, signs } from './simplify.js';

/** Switches of the passes by name, all on unless set to false. */
export type Rules = Readonly<Record<string, boolean | undefined>>;
/** Rules that are applied until none of their stage fires, or a function of the whole graph. */
type Pass = readonly Rule[] | ((graph: Graph) => Graph);
type Stage = Readonly<Record<string, Pass>>;

const simplify: Stage = {
  constants,
  neutral,
  signs,
  broadcasts,
  reshapes,
  transposes,
  pads,
  scales,
  scalars,
  decays,
  silu,
  logSoftmax,
  squareSums,
  rowSums,
};
const common: Stage = { common: mergeCommon };

/** All passes in the order in which they run; a name that stands twice is one switch. */
const stages: readonly Stage[] = [
  common,
  { views: viewInputs },
  // While its parts have the shapes that they were written in.
  { rope },
  simplify,
  common,
  { rmsNorm: rmsNorms },
  { sumsIntoProducts },
  simplify,
  common,
  { joins: joinOutputs },
  { gatedAdds },
  { tallGemm },
  common,
];
/** Names of the rewrite rules. */
export const ruleNames: readonly string[] = [...new Set(stages.flatMap(Object.keys))];

/** The same function, in fewer and cheaper nodes. */
export function optimize(graph: Graph, switches: Rules): Graph {
  let best = withoutDead(graph);
  for (const stage of stages) {
    const rules: Rule[] = [];
    for (const [name, pass] of Object.entries(stage)) {
      if (switches[name] === false) continue;
      if (typeof pass === 'function') best = pass(best);
      else rules.push(...pass);
    }
    if (rules.length > 0) best = rewrite(best, rules);
  }
  return expandUniforms(best);
}
