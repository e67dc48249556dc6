/** Implements `--only`: selects runs of a study and their teachers. */
import { unknownName } from '@grok/core';
import type { PlannedRun } from './planned-runs.js';

/**
 * Keys of the selected runs and of their teachers, in order; all runs for an empty list. A selector is a name
 * (`logit`), a seed (`@3`), both (`logit@3`), or one of these under an override (`low-wd/logit`, `low-wd/`).
 * @throws InputError on a selector without a run.
 */
export function selectRuns(
  all: readonly PlannedRun[],
  words: readonly string[],
): readonly string[] {
  const keys = all.map(({ key }) => key);
  if (words.length === 0) return keys;
  const byKey = new Map(all.map((run) => [run.key, run]));
  const chosen = new Set<string>();
  const choose = (key: string): void => {
    if (chosen.has(key)) return;
    chosen.add(key);
    for (const need of Object.values(byKey.get(key)?.needs ?? {})) choose(need.key);
  };
  for (const word of words) {
    const found = all.filter((run) => names(run).includes(word));
    if (found.length === 0)
      // All keys would be a long list, so only their parts are listed.
      throw unknownName(
        'run in --only',
        word,
        new Set(all.flatMap((run) => names(run).slice(0, 2))),
      );
    for (const { key } of found) choose(key);
  }
  return keys.filter((key) => chosen.has(key));
}

/** All words that select a run. */
function names({ key, name, seed, override }: PlannedRun): readonly string[] {
  const own = [...new Set([name, `@${seed}`, `${name}@${seed}`, key])];
  if (override === undefined) return own;
  return [...own, `${override}/`, ...own.map((word) => `${override}/${word}`)];
}
