/** Executes one job in this process: holds its folder, starts or resumes its run, and returns the outcome as data. */
import {
  isInputError,
  type JobOutcome,
  type RunHost,
  type RunListener,
  type Store,
  startRun,
} from '@grok/core';
import { type BoundJob, type Hold, whileHeld } from '@grok/core/internal';

/** The environment in which runs are executed. */
export interface CarryOutHost
  extends Pick<RunHost, 'registry' | 'now' | 'peakMemoryBytes' | 'versions'> {
  /** Opens a run folder by name. */
  readonly open: (folder: string) => Store;
  /** Seconds to wait for another process that still works in the run folder. */
  readonly waitSeconds?: number;
}

/** Runs jobs in this process; failures are outcomes, never errors. */
export function jobRunner({
  open,
  waitSeconds = 0,
  ...host
}: CarryOutHost): (
  job: BoundJob,
  how: { readonly signal: AbortSignal; readonly listener: RunListener },
) => Promise<JobOutcome> {
  return async ({ run, folder, spec }, { signal, listener }) => {
    const at = { run, folder };
    const teachers = Object.entries(spec.execution?.teachers ?? {});
    try {
      const act = async ({ store, lost }: Omit<Hold, 'release'>): Promise<JobOutcome> => {
        if (signal.aborted) return { status: 'interrupted', ...at };
        const { status } = await startRun(spec, {
          ...host,
          store,
          signal: AbortSignal.any([signal, lost]),
          teacherStores: Object.fromEntries(
            teachers.map(([name, path]) => [name, open(path.replace(/^\.\.\//, ''))]),
          ),
          listeners: [listener],
        });
        return { status, ...at };
      };
      return await whileHeld(open(folder), act, waitSeconds);
    } catch (error) {
      const { message, stack } = error as Error;
      const badInput = isInputError(error) ? { badInput: true } : {};
      return { status: 'failed', error: message || String(stack), ...badInput, ...at };
    }
  };
}
