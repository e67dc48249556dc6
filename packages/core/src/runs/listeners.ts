/** Notifies listeners and trackers of a run. If one fails, the others are told and the run continues. */
import * as tf from '@grok/tfjs';
import { InputError } from '../contracts/errors.js';
import type { RunListener, TrackedRun, Tracker, TrackerUse, Tracking } from '../contracts/types.js';
import type { Registry } from '../plugins/registry.js';
import { withTimeout } from '../plugins/timeout.js';

/** Milliseconds that a tracker may take to start, and to finish. */
export const TRACKER_TIMEOUT = 30_000;

/** All listeners and trackers of a run. */
export interface Listeners {
  readonly notify: RunListener;
  /** Waits for the trackers; never rejects. */
  finish(): Promise<void>;
}

/** Creates trackers by name. @throws InputError on unknown names, bad options, and duplicate names. */
export function createTrackers(
  registry: Registry,
  uses: readonly TrackerUse[] = [],
): Readonly<Record<string, Tracker>> {
  const created: Record<string, Tracker> = {};
  for (const { use, as = use, options } of uses) {
    if (Object.hasOwn(created, as))
      throw new InputError(`tracker "${as}": appears twice; rename one of them ("as")`);
    created[as] = registry.create('tracker', use, options, { tf });
  }
  return created;
}

/** Collects the listeners of a run and starts its trackers. */
export async function createListeners(
  listeners: readonly RunListener[],
  trackers: Readonly<Record<string, Tracker>>,
  run: Omit<TrackedRun, 'name' | 'timeout' | 'notice'>,
  timeout: number = TRACKER_TIMEOUT,
): Promise<Listeners> {
  const active = new Map<RunListener, string>(
    listeners.map((listener) => [listener, 'a listener']),
  );
  const notify: RunListener = (event) => {
    for (const listener of [...active.keys()])
      try {
        // TypeScript accepts a function that returns a promise where one that returns void is
        // expected.
        const done: unknown = listener(event);
        if (done instanceof Promise) done.catch((error: unknown) => detach(listener, error));
      } catch (error) {
        detach(listener, error);
      }
  };
  const notice = (message: string): void => notify({ type: 'notice', message });
  const failed = (who: string, error: unknown): void => {
    const why = error instanceof Error ? error.message : String(error);
    notice(`${who} failed and was removed from the run: ${why}`);
  };
  const detach = (listener: RunListener, error: unknown): void => {
    const who = active.get(listener);
    if (who === undefined) return;
    active.delete(listener);
    failed(who, error);
  };

  const ends: (() => Promise<void>)[] = [];
  for (const [name, tracker] of Object.entries(trackers)) {
    const who = `tracker "${name}"`;
    let tracking: Tracking;
    try {
      tracking = await soon('begin', timeout, () => tracker({ ...run, name, timeout, notice }));
    } catch (error) {
      failed(who, error);
      continue;
    }
    let heard: Promise<unknown> = Promise.resolve();
    const follow: RunListener = (event) => {
      const sent = tracking.on(event);
      if (sent === undefined) return;
      const known = Promise.resolve(sent).catch((error: unknown) => detach(follow, error));
      // Drops the values, which would otherwise keep every event alive.
      heard = Promise.all([heard, known]).then(() => {});
    };
    active.set(follow, who);
    ends.push(() =>
      soon('finish', timeout, async () => {
        await heard;
        if (active.has(follow)) await tracking.finish();
      }).catch((error: unknown) => detach(follow, error)),
    );
  }
  return {
    notify,
    async finish() {
      await Promise.all(ends.map((end) => end()));
    },
  };
}

function soon<T>(what: string, timeout: number, act: () => T | Promise<T>): Promise<T> {
  return withTimeout(
    Promise.resolve().then(act),
    timeout,
    (seconds) => `it did not ${what} within ${seconds} s`,
  );
}
