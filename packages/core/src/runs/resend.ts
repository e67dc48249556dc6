/** A recorded run told to trackers from its beginning, as if it ran now: those that missed something catch up. */
import type { MetricsRow, RunEvent, RunListener, Store, Tracker } from '../contracts/types.js';
import { createListeners } from './listeners.js';
import { readConfig, readEvents, readManifest, readMetrics } from './run-folder.js';

/** Milliseconds that a tracker may take to catch up. */
const CATCH_UP = 3_600_000;

/** Whom a recorded run is told to. */
export interface ResendHost {
  /** By name, as in the run. */
  readonly trackers: Readonly<Record<string, Tracker>>;
  readonly listeners?: readonly RunListener[];
}

/**
 * Tells trackers all that a run's folder holds, in order; a tracker that fails is named in a notice.
 * Returns false where the run has not begun. @throws InputError or RunError on a folder that cannot be read.
 */
export async function resendRun(
  store: Store,
  { trackers, listeners = [] }: ResendHost,
): Promise<boolean> {
  const { experiment, execution } = await readConfig(store);
  const manifest = await readManifest(store);
  const events = await readEvents(store);
  const start = events.find((event) => event.type === 'start');
  if (manifest === undefined || start === undefined) return false;
  const study = execution.study ?? manifest.execution.study;
  const heard = await createListeners(
    listeners,
    trackers,
    {
      ...{ run: manifest.run, slug: manifest.slug, experiment },
      ...(study === undefined ? {} : { study }),
      ...{ where: store.where, store },
    },
    CATCH_UP,
  );
  heard.notify({ ...start, from: { epoch: 0, step: 0 } });
  for (const event of inOrder(events, await readMetrics(store, manifest))) heard.notify(event);
  await heard.finish();
  return true;
}

/** Rows and the events of a step, rows first; of several ends the last. */
function inOrder(events: readonly RunEvent[], rows: readonly MetricsRow[]): readonly RunEvent[] {
  const end = events.findLast((event) => event.type === 'end');
  const others = events.filter(({ type }) => !['start', 'notice', 'end'].includes(type));
  const all: readonly RunEvent[] = [
    ...rows.map((row): RunEvent => ({ type: 'epoch', row })),
    ...others,
  ];
  const ordered = all.toSorted((a, b) => readStep(a) - readStep(b)); // stable
  return end === undefined ? ordered : [...ordered, end];
}

const readStep = (event: RunEvent): number =>
  event.type === 'epoch' ? event.row.step : 'step' in event ? event.step : 0;
