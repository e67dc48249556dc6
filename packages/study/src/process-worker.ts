/** The other end of `processExecutor`: a process that carries out the one job it is sent, then ends. */
import { join } from 'node:path';
import type { JobOutcome, RunHost } from '@grok/core';
import { fileStore, peakMemoryBytes } from '@grok/core/node';
import { jobRunner } from './carry-out.js';
import type { FromChild, ToChild } from './process-messages.js';

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
  const job = new Promise<Extract<ToChild, { type: 'job' }> | undefined>((done) => {
    stop.signal.addEventListener('abort', () => done(undefined));
    process.on('message', (message: ToChild) => {
      if (message.type === 'job') done(message);
      else stop.abort();
    });
  });
  await tell({ type: 'ready' });
  const found = await job;
  await tell({ type: 'outcome', outcome: await carryOut(found, host, stop.signal) });
  process.exit(0);
}

async function carryOut(
  message: Extract<ToChild, { type: 'job' }> | undefined,
  host: Pick<RunHost, 'registry' | 'versions'>,
  signal: AbortSignal,
): Promise<JobOutcome> {
  if (message === undefined) return { status: 'interrupted' };
  const { job, root } = message;
  const open = (folder: string): ReturnType<typeof fileStore> => fileStore(join(root, folder));
  const runJob = jobRunner({ ...host, open, patience: PATIENCE, peakMemoryBytes });
  return runJob(job, {
    signal,
    listener: (event) => {
      if (event.type !== 'step') void tell({ type: 'event', event });
    },
  });
}

function tell(message: FromChild): Promise<void> {
  return new Promise((done) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => done());
    else done();
  });
}
