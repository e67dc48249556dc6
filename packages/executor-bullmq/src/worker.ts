/**
 * The worker's side: one job at a time, in this process. A worker that is stopped saves its run and puts
 * the job back; the job of one that died is taken over, from its last checkpoint, once its lock runs out.
 */
import type { InputError, RunEvent } from '@grok/core';
import type { WorkerHost } from '@grok/core/internal';
import { isRefusal } from '@grok/study';
import { DelayedError, type Job, Worker } from 'bullmq';
import { connectRedis, describeRedis, type QueueOptions, stopChannel } from './redis.js';

/** A job that many workers could not take waits longer each time, up to this. */
const LONGEST_MS = 30_000;
const SHORTEST_MS = 500;
/** Dying is not the job's fault: it is taken over as often as its workers die. */
const STALLS = 1_000_000;

/** Serves a queue until the host's signal aborts. @throws InputError when this worker must not take its jobs. */
export function takeJobs(options: QueueOptions): (host: WorkerHost) => Promise<void> {
  const { url, queue, lockSeconds } = options;
  return async (host) => {
    const redis = await connectRedis(url, host.notice);
    const subscriber = redis.duplicate();
    subscriber.on('error', () => {}); // the first connection tells
    const running = new Map<string, AbortController>();
    await subscriber.subscribe(stopChannel(queue));
    subscriber.on('message', (_, id) => running.get(id)?.abort());
    const refused = new AbortController();
    const worker = new Worker(
      queue,
      (job, token = '') =>
        carryOut(job, token, { host, running, refuse: (error) => refused.abort(error) }),
      {
        connection: redis,
        lockDuration: 1000 * lockSeconds,
        stalledInterval: 1000 * lockSeconds,
        maxStalledCount: STALLS,
        drainDelay: 1,
      },
    );
    worker.on('error', () => {});
    worker.on('stalled', (id) => host.notice(`${id}: its worker died; it is taken over`));
    host.notice(`waiting for jobs: ${describeRedis(url)}, queue ${queue}`);
    try {
      await untilAborted(AbortSignal.any([refused.signal, host.signal]));
      refused.signal.throwIfAborted();
    } finally {
      await worker.close();
      subscriber.disconnect();
      redis.disconnect();
    }
  };
}

interface WorkerState {
  readonly host: WorkerHost;
  /** What stops each job, by its id. */
  readonly running: Map<string, AbortController>;
  readonly refuse: (error: InputError) => void;
}

async function carryOut(
  job: Job,
  token: string,
  { host, running, refuse }: WorkerState,
): Promise<unknown> {
  const { id = '', name } = job;
  const stop = new AbortController();
  running.set(id, stop);
  let sent: Promise<void> = Promise.resolve();
  const listener = (event: RunEvent): void => {
    if (event.type !== 'step') sent = sent.then(() => job.updateProgress(event)).catch(() => {});
  };
  try {
    const signal = AbortSignal.any([host.signal, stop.signal]);
    const outcome = await host.carryOut(job.data, { signal, listener });
    await sent;
    if (outcome.status === 'interrupted' && !stop.signal.aborted) {
      host.notice(`${name}: saved and put back`);
      await putBack(job, token, 0);
    }
    host.notice(`${name}: ${outcome.status}`);
    return outcome;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const delay = Math.min(SHORTEST_MS * 2 ** job.attemptsStarted, LONGEST_MS);
    if (error.data.reason === 'capability') host.notice(`${error.message}; it is left to others`);
    else refuse(error);
    return putBack(job, token, delay);
  } finally {
    running.delete(id);
  }
}

/** Gives a job back to the queue. @throws DelayedError, which tells BullMQ so. */
async function putBack(job: Job, token: string, delay: number): Promise<never> {
  await job.moveToDelayed(Date.now() + delay, token);
  throw new DelayedError();
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
