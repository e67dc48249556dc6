/** The other end of `processExecutor`: a process that carries out the one job it is sent, then ends. */
import { join, resolve } from 'node:path';
import { isInputError, type JobOutcome, type RunHost, startRun } from '@grok/core';
import { fileStore, peakMemoryBytes } from '@grok/core/node';
import { takeLock } from './process-lock.js';
import type { FromWorker, ToWorker } from './process-messages.js';

/** Seconds that a process whose study was killed is given to save and go. */
const PATIENCE = 60;

/**
 * Waits for a job from the process that started this one, carries it out in its folder, tells how it
 * went and ends. When the study stops, or dies, the run is saved first.
 */
export async function serveJob(host: Pick<RunHost, 'registry' | 'versions'>): Promise<void> {
  const stop = new AbortController();
  process.on('disconnect', () => stop.abort());
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => {}); // the study hears it too, and decides
  const job = new Promise<Extract<ToWorker, { type: 'job' }> | undefined>((done) => {
    stop.signal.addEventListener('abort', () => done(undefined));
    process.on('message', (message: ToWorker) => {
      if (message.type === 'job') done(message);
      else stop.abort();
    });
  });
  await tell({ type: 'ready' });
  const found = await job;
  const outcome: JobOutcome =
    found === undefined ? { status: 'interrupted' } : await carryOut(found, stop.signal, host);
  await tell({ type: 'outcome', outcome });
  process.exit(0);
}

async function carryOut(
  { job, root }: Extract<ToWorker, { type: 'job' }>,
  signal: AbortSignal,
  host: Pick<RunHost, 'registry' | 'versions'>,
): Promise<JobOutcome> {
  const folder = join(root, job.folder);
  let release = (): void => {};
  try {
    release = await takeLock(folder, PATIENCE);
    if (signal.aborted) return { status: 'interrupted' };
    const teachers = Object.entries(job.spec.execution?.teachers ?? {});
    const { status } = await startRun(job.spec, {
      ...host,
      signal,
      peakMemoryBytes,
      store: fileStore(folder),
      teacherStores: Object.fromEntries(
        teachers.map(([name, at]) => [name, fileStore(resolve(folder, at))]),
      ),
      listeners: [
        (event) => {
          if (event.type !== 'step') void tell({ type: 'event', event });
        },
      ],
    });
    return { status };
  } catch (error) {
    const { message, stack } = error as Error;
    return { status: 'failed', error: isInputError(error) ? message : message || String(stack) };
  } finally {
    release();
  }
}

function tell(message: FromWorker): Promise<void> {
  return new Promise((done) => {
    if (process.connected) process.send!(message, undefined, undefined, () => done());
    else done();
  });
}
