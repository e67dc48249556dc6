/** Rewrites a graph into a faster equivalent one. Every pass has a name, which is also its switch. */
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

/** Switches of the passes by name; all are on unless set to false. */
export type Rules = Readonly<Record<string, boolean | undefined>>;
/** Rules that are applied until none of their stage matches, or a function of the whole graph. */
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

/** All passes in order; a name that appears twice is one switch. */
const stages: readonly Stage[] = [
  common,
  { views: viewInputs },
  // While its parts still have their original shapes.
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

/** Returns the same function with fewer and cheaper nodes. */
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
