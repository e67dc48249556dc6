/** What the page's main thread does, by Chromium's own trace. */
import type { Browser, Page } from 'playwright-core';

/** One task of the main thread, in milliseconds: how long it worked, and how long it took on the clock. */
export interface Task {
  readonly worked: number;
  readonly took: number;
}
/** The parts of a trace event that are read here; times in microseconds. */
interface Event {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
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
    categories: ['disabled-by-default-devtools.timeline', '__metadata'],
  });
  await body();
  const trace = (await browser.stopTracing()).toString('utf8');
  const { traceEvents } = JSON.parse(trace) as { traceEvents: readonly Event[] };
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return traceEvents
    .filter(({ name, pid, tid }) => name === 'RunTask' && main.has(`${pid} ${tid}`))
    .map(({ dur = 0, tdur = 0 }) => ({ worked: tdur / 1e3, took: dur / 1e3 }));
}
