/** `--only`: which runs of a plan are meant; their teachers come along. */
import { unknownName } from '@grok/core';
import { expandPlan, keyOf, type Plan, type PlannedRun } from './plan.js';

/**
 * Keys of the runs that a list of words names, and of their teachers, in the plan's order; all for
 * an empty list. A word is a name (`logit`), a seed (`@3`), both (`logit@3`), or these under an
 * override (`low-wd/logit`, `low-wd/`). @throws InputError on a word that names no run.
 */
export function selectRuns(plan: Plan, words: readonly string[]): readonly string[] {
  const all = expandPlan(plan);
  if (words.length === 0) return all.map(keyOf);
  const chosen = new Set<string>();
  for (const word of words) {
    const found = all.filter((run) => names(run).includes(word));
    if (found.length === 0)
      // All keys would be a long list: what they are made of says as much.
      throw unknownName(
        'run in --only',
        word,
        new Set(all.flatMap((run) => names(run).slice(0, 2))),
      );
    for (const run of found) {
      chosen.add(keyOf(run));
      for (const name of Object.values(run.needs)) chosen.add(keyOf({ ...run, name }));
    }
  }
  return all.map(keyOf).filter((key) => chosen.has(key));
}

/** All words that mean a run among others. */
function names({ name, seed, override }: PlannedRun): readonly string[] {
  const own = [name, `@${seed}`, `${name}@${seed}`];
  if (override === undefined) return own;
  return [...own, `${override}/`, ...own.map((word) => `${override}/${word}`)];
}
