/** Finds planned runs that are the same run. A run's id excludes its length, so runs that differ only in length are the same. */
import { experimentHash, InputError } from '@grok/core';
import { canonicalJson, formatBudget } from '@grok/core/internal';
import { orderByTeachers, type PlannedRun } from './planned-runs.js';

/**
 * Maps each key to the first key of the same run: equal experiment and equal teachers.
 * @throws InputError that names two equal runs of different lengths.
 */
export function findSameRuns(runs: readonly PlannedRun[]): ReadonlyMap<string, string> {
  const identities = new Map<string, string>();
  const first = new Map<string, { readonly key: string; readonly length: string }>();
  const byKey = new Map<string, string>();
  for (const { key, experiment, needs } of orderByTeachers(runs)) {
    const length = formatBudget(experiment);
    const teachers = Object.entries(needs).map(([as, need]) => [
      ...[as, identities.get(need.key) ?? need.key, need.at],
    ]);
    const identity = canonicalJson([experimentHash(experiment), teachers]);
    identities.set(key, identity);
    const same = first.get(identity) ?? { key, length };
    first.set(identity, same);
    if (same.length !== length)
      throw new InputError(
        `${same.key} and ${key} are the same run with different lengths, ${same.length} and ${length}; use one length, or change something else too`,
      );
    byKey.set(key, same.key);
  }
  return byKey;
}
