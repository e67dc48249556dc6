/** The executor that needs nothing: runs in this process, one at a time. For browsers, tests and single cores. */
import { type Executor, type JobOutcome, type RunHost, type Store, startRun } from '@grok/core';

/** What runs are carried out with. */
export interface InlineHost
  extends Pick<RunHost, 'registry' | 'now' | 'peakMemoryBytes' | 'versions'> {
  /** A run's folder, by name. */
  readonly open: (folder: string) => Store;
}

/** An executor in this process. */
export function inlineExecutor({ open, ...host }: InlineHost): Executor {
  return {
    name: 'inline',
    slots: 1,
    async run({ folder, spec }, { signal, listener }): Promise<JobOutcome> {
      const teachers = Object.entries(spec.execution?.teachers ?? {});
      try {
        const { status } = await startRun(spec, {
          ...host,
          signal,
          store: open(folder),
          teacherStores: Object.fromEntries(
            teachers.map(([name, at]) => [name, open(at.replace(/^\.\.\//, ''))]),
          ),
          listeners: listener === undefined ? [] : [listener],
        });
        return { status };
      } catch (error) {
        return { status: 'failed', error: (error as Error).message };
      }
    },
    async dispose() {},
  };
}
