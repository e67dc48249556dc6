/** Matches run folders with planned runs, by the experiment with its teachers filled in. */
import { type Experiment, experimentHash, isInputError, isRunError, type Store } from '@grok/core';
import type { RunConfig } from '@grok/core/internal';
import { bindTeachers, identifyRun, isTaughtAs } from './bind.js';
import { orderByTeachers, type PlannedRun } from './planned-runs.js';
import type { BegunRun } from './study-run.js';

/** A run's folder, as far as it can be read. */
export interface FoundRun {
  readonly store: Store;
  readonly config?: RunConfig;
  /** Missing if it is damaged. */
  readonly run?: BegunRun;
  readonly error?: Error;
}

/** The planned runs in each store; there are several if they are the same run. */
export async function matchRuns(
  found: readonly FoundRun[],
  planned: readonly PlannedRun[],
): Promise<ReadonlyMap<Store, readonly PlannedRun[]>> {
  const names = new Map<Store, PlannedRun[]>();
  const teachers = new Map<string, BegunRun>();
  const ids = new Map<string, string>();
  for (const each of orderByTeachers(planned)) {
    const bound = await bindTeachers(each, teachers).catch((error: unknown) => {
      // A teacher that never reached the point, or has a damaged checkpoint, cannot identify its
      // students.
      if (isInputError(error) || isRunError(error)) return undefined;
      throw error;
    });
    const match = bound === undefined ? findTaught(found, each, ids) : findBound(found, bound);
    const id = bound === undefined ? match?.config?.run : experimentHash(bound);
    if (id !== undefined) ids.set(each.key, id);
    if (match === undefined) continue;
    if (match.run !== undefined) teachers.set(each.key, match.run);
    names.set(match.store, [...(names.get(match.store) ?? []), each]);
  }
  return names;
}

/** Finds a run by id or, if that cannot be read, by its folder's name. */
function findBound(found: readonly FoundRun[], experiment: Experiment): FoundRun | undefined {
  const { run, folder } = identifyRun(experiment);
  return (
    found.find(({ config }) => config?.run === run) ??
    found.find(
      ({ config, store }) => config === undefined && store.where.split(/[\\/]/).at(-1) === folder,
    )
  );
}

/** A run whose teacher cannot be read: found by the teacher id in its own experiment. */
function findTaught(
  found: readonly FoundRun[],
  planned: PlannedRun,
  ids: ReadonlyMap<string, string>,
): FoundRun | undefined {
  return found.find(({ config }) => config && isTaughtAs(config.experiment, planned, ids));
}
