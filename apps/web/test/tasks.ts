/** What the page's main thread does, by Chromium's own trace. */
import type { Browser, Page } from 'playwright-core';

/** One task of the main thread, in milliseconds: how long it worked, and how long it took on the clock. */
export interface Task {
  readonly worked: number;
  readonly took: number;
  /** What it did, by Chromium's names, longest first. */
  readonly parts: string;
  /** When, in seconds after the first. */
  readonly at: number;
}
/** The parts of a trace event that are read here; times in microseconds. */
interface Event {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * The tasks of a page's main thread while `body` runs. The time that a task worked is the thread's own,
 * so that a busy machine lengthens none.
 */
export async function mainThreadTasks(
  browser: Browser,
  page: Page,
  body: () => Promise<void>,
): Promise<readonly Task[]> {
  await browser.startTracing(page, {
    categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'v8', '__metadata'],
  });
  await body();
  const trace = (await browser.stopTracing()).toString('utf8');
  const { traceEvents } = JSON.parse(trace) as { traceEvents: readonly Event[] };
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const own = traceEvents.filter(({ pid, tid }) => main.has(`${pid} ${tid}`));
  const first = own.find(({ name }) => name === 'RunTask')?.ts ?? 0;
  return own
    .filter(({ name }) => name === 'RunTask')
    .map((task) => {
      const { dur = 0, tdur = 0, ts } = task;
      return {
        at: (ts - first) / 1e6,
        worked: tdur / 1e3,
        took: dur / 1e3,
        parts: dur < NAMED ? '' : formatParts(task, own),
      };
    });
}

/** Tasks shorter than this are not looked into, in microseconds. */
const NAMED = 20_000;
function formatParts({ pid, tid, ts, dur = 0 }: Event, events: readonly Event[]): string {
  return events
    .filter((event) => event.name !== 'RunTask' && event.pid === pid && event.tid === tid)
    .filter((event) => event.ts >= ts && event.ts + (event.dur ?? 0) <= ts + dur)
    .sort((a, b) => (b.dur ?? 0) - (a.dur ?? 0))
    .slice(0, 4)
    .map(({ name, dur: length = 0 }) => `${name} ${(length / 1e3).toFixed(1)}`)
    .join(', ');
}
