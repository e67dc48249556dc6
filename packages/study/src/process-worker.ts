/** The child side of `processExecutor`: a process that executes the one job it is sent, then exits. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { JobOutcome, RunHost } from '@grok/core';
import { fileStore, peakMemoryBytes } from '@grok/core/node';
import { jobRunner } from './carry-out.js';
import type { FromChild, OrphanWatch, ToChild } from './process-messages.js';

/** Seconds that a process has to save and exit after its study was killed. */
const WAIT_SECONDS = 60;
/** Milliseconds without a response after which an orphaned process is ended. */
const SILENCE_MS = 10_000;
const BEAT_MS = 250;

/**
 * Waits for a job from the parent process, runs it in its folder, reports the outcome and exits. If the study
 * stops or dies, the run is saved first.
 */
export async function serveJob(host: Pick<RunHost, 'registry' | 'versions'>): Promise<void> {
  endWithStudy();
  const stop = new AbortController();
  process.on('disconnect', () => stop.abort());
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => {}); // the study receives it too, and decides
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
  const runJob = jobRunner({ ...host, open, waitSeconds: WAIT_SECONDS, peakMemoryBytes });
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

/** Ends this process if its study is gone and its main thread is too busy to notice. */
export function endWithStudy(limitMs: number = SILENCE_MS): void {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const workerData: OrphanWatch = { study: process.ppid, beats, beatMs: BEAT_MS, limitMs };
  const watch = new Worker(new URL('./process-watch.js', import.meta.url), {
    workerData,
    execArgv: [], // this process's flags may refer to its own script
  });
  watch.on('error', () => {}); // the watch is optional
  watch.unref();
  setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS).unref();
}
