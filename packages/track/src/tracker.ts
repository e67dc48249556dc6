/** A tracker made of a way to open runs somewhere: what is told waits a moment and is sent together. */
import type { RunEvent, TrackedRun, Tracker } from '@grok/core';
import { withTimeout } from '@grok/core/internal';
import { type Connect, Delivery } from './delivery.js';
import type { EndStatus } from './position.js';

/** Milliseconds between requests, and after failures at most. */
const [INTERVAL, MOST_WAIT] = [2000, 60_000];

/** How often a tracker sends. */
export interface TrackerOptions {
  /** Milliseconds between requests, default 2000. */
  readonly interval?: number;
}

/**
 * Makes a tracker. A place that cannot be reached costs the run nothing: a notice says so once, it is
 * tried again while the run goes on and at its end, and what did not arrive is sent by
 * `grok track sync`.
 */
export function createTracker(
  connect: Connect,
  { interval = INTERVAL }: TrackerOptions = {},
): Tracker {
  return async (run) => {
    const delivery = await Delivery.open(run, connect);
    const sender = createSender(run, delivery, interval);
    let status: EndStatus | undefined;
    let isBegun = false;
    return {
      on(event: RunEvent) {
        if (event.type === 'start') {
          isBegun = true;
          delivery.start(event.from.step);
        }
        if (event.type === 'epoch') delivery.addRow(event.row);
        if (event.type === 'checkpoint' || event.type === 'state')
          delivery.addParameters(event.step, event.type);
        if (event.type === 'end') status = event.status;
        sender.schedule();
      },
      async finish() {
        const left = async (): Promise<void> => {
          await sender.stop();
          if (isBegun) await delivery.finish(status);
        };
        await finishInTime(run, delivery, left());
      },
    };
  };
}

/** Waits until what is left is sent, within the time that the run waits. @throws Error that says how to send it later. */
async function finishInTime(
  run: TrackedRun,
  delivery: Delivery,
  left: Promise<void>,
): Promise<void> {
  try {
    await withTimeout(
      left,
      0.8 * run.timeout,
      (seconds) => `not everything was sent within ${seconds} s`,
    );
  } catch (error) {
    delivery.abandon();
    const missing = await delivery.countMissing();
    throw new Error(
      `${describeError(error)}; ${missing} metrics rows are not sent yet: send them with: grok track sync ${run.where}`,
    );
  }
}

interface Sender {
  /** Sends soon, unless that is planned already. */
  schedule(): void;
  /** Plans nothing more; waits for what is under way. */
  stop(): Promise<void>;
}

function createSender(run: TrackedRun, delivery: Delivery, interval: number): Sender {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> = Promise.resolve();
  let isStopped = false;
  let wait = interval;
  let isDown = false;
  const send = async (): Promise<void> => {
    try {
      await delivery.send();
      [wait, isDown] = [interval, false];
    } catch (error) {
      if (!isDown && !isStopped)
        run.notice(
          `tracker "${run.name}": ${describeError(error)}; the run goes on, and it is tried again`,
        );
      // The next event tries again.
      [wait, isDown] = [Math.min(2 * wait, MOST_WAIT), true];
    }
  };
  return {
    schedule() {
      if (timer !== undefined || isStopped) return;
      timer = setTimeout(() => {
        sending = send().finally(() => {
          timer = undefined;
        });
      }, wait);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await sending;
    },
  };
}

const describeError = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
