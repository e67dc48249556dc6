/**
 * The study's side of the queue. Jobs enter it once their teachers are finished, and are known by their
 * run: a study that comes back finds the jobs that its predecessor left.
 */
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type Executor, type ExecutorHost, InputError, type JobOutcome } from '@grok/core';
import { type BoundJob, type JobDocument, runEventSchema } from '@grok/core/internal';
import { checkOutcome, type HandedJob, queueExecutor } from '@grok/study';
import { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { connectRedis, describeRedis, type QueueOptions, stopChannel } from './redis.js';

/** Milliseconds between looks at jobs whose events may have been lost. */
const LOOK_MS = 5000;
const STOP_MS = 500;
/** Milliseconds after which a worker that does not stop its job is left alone. */
const STOP_LIMIT_MS = 60_000;
/** Seconds for which the outcome of a job is kept in Redis: whoever asks again reads the run. */
const KEEP_SECONDS = 600;
const ATTEMPTS = 5;

/** Makes the executor of a study. */
export function queueJobs(options: QueueOptions): (host: ExecutorHost) => Executor {
  return ({ open, worker, packages = {}, notice = () => {} }) => {
    if (worker === undefined)
      throw new InputError('executor "bullmq": needs a study in a folder that its workers see');
    const { root } = worker;
    let channel: Promise<Channel> | undefined;
    let slots = 1;
    const prepare = async (): Promise<Channel> => {
      channel ??= openChannel(options, notice, (count) => {
        slots = Math.max(1, count);
      });
      return channel;
    };
    return queueExecutor({
      name: 'bullmq',
      get slots() {
        return slots;
      },
      ahead: options.jobs,
      tellsBegin: true,
      open,
      prepare: async () => void (await prepare()),
      async carryOut(bound, how) {
        const document = writeDocument(bound, root, packages);
        try {
          return await (await prepare()).carryOut(document, bound, how);
        } catch (error) {
          return describeRefusal(error as Error, options, bound);
        }
      },
      dispose: async () => (await channel?.catch(() => undefined))?.close(),
    });
  };
}

/** A bound job is a job without edges: its teachers stand in its experiment. */
function writeDocument(
  { key, spec: { experiment, execution } }: BoundJob,
  root: string,
  packages: Readonly<Record<string, string>>,
): JobDocument {
  const job = { key, experiment, ...(execution === undefined ? {} : { execution }) };
  return { format: 'grok job 1', packages, root, job, edges: [] };
}

/** Redis refuses to take a job: nothing is known against the run. */
function describeRefusal(
  { message }: Error,
  { url }: QueueOptions,
  { run, folder }: BoundJob,
): JobOutcome {
  const isFull = message.includes('OOM');
  const error = isFull
    ? `${describeRedis(url)}: is full; raise its maxmemory, or remove keys`
    : `${describeRedis(url)}: ${message}`;
  return { status: 'failed', error, notBegun: true, run, folder };
}

/** A job that was handed over. */
interface Pending {
  readonly settle: (outcome: JobOutcome) => void;
  readonly how: HandedJob;
  readonly place: { readonly run: string; readonly folder: string };
  readonly add: () => Promise<void>;
  hasBegun: boolean;
}
interface Channel {
  readonly carryOut: (
    document: JobDocument,
    bound: BoundJob,
    how: HandedJob,
  ) => Promise<JobOutcome>;
  readonly close: () => Promise<void>;
}

async function openChannel(
  { url, queue: name, priority, lockSeconds: _ }: QueueOptions,
  notice: (message: string) => void,
  countWorkers: (count: number) => void,
): Promise<Channel> {
  const redis = await connectRedis(url, notice);
  const queue = new Queue(name, { connection: redis });
  const events = new QueueEvents(name, { connection: redis });
  queue.on('error', () => {}); // the connection tells
  events.on('error', () => {});
  await events.waitUntilReady();
  const pending = new Map<string, Pending>();
  listen(events, pending);
  const look = setInterval(() => {
    void lookAtAll(queue, pending).catch(() => {});
    void queue.getWorkersCount().then(countWorkers, () => {});
  }, LOOK_MS);
  await queue.getWorkersCount().then(countWorkers);
  return {
    async carryOut(document, { run, folder }, how) {
      const id = nameJob(document.root, run);
      // What teaches others is taken first.
      const place = 2 * priority + (how.teaches ? 0 : 1);
      const add = (): Promise<void> => addJob(queue, id, document, place);
      const outcome = new Promise<JobOutcome>((settle) =>
        pending.set(id, { settle, how, place: { run, folder }, add, hasBegun: false }),
      );
      try {
        await add();
        const stop = (): void => void stopJob(queue, redis, id, pending);
        how.signal.addEventListener('abort', stop);
        if (how.signal.aborted) stop();
        return await outcome.finally(() => how.signal.removeEventListener('abort', stop));
      } finally {
        pending.delete(id);
      }
    },
    async close() {
      clearInterval(look);
      await Promise.allSettled([queue.close(), events.close()]);
      redis.disconnect();
    },
  };
}

/** The same run of the same study is the same job. */
function nameJob(root: string, run: string): string {
  return `run-${createHash('sha256').update(`${root}\n${run}`).digest('hex').slice(0, 32)}`;
}

/** Adds a job; one that waits or runs is left as it is, one that has ended is begun again. */
async function addJob(
  queue: Queue,
  id: string,
  document: JobDocument,
  priority: number,
): Promise<void> {
  const old = await queue.getJob(id);
  if (old !== undefined && ((await old.isCompleted()) || (await old.isFailed())))
    await old.remove();
  await queue.add(document.job.key, document, {
    jobId: id,
    priority,
    attempts: ATTEMPTS,
    backoff: { type: 'exponential', delay: 1000 },
    removeOnComplete: { age: KEEP_SECONDS },
    removeOnFail: { age: KEEP_SECONDS },
  });
}

function listen(events: QueueEvents, pending: ReadonlyMap<string, Pending>): void {
  events.on('active', ({ jobId }) => begin(pending.get(jobId)));
  events.on('progress', ({ jobId, data }) => {
    const job = pending.get(jobId);
    begin(job);
    const event = runEventSchema.safeParse(data).data;
    if (event !== undefined) job?.how.listener(event);
  });
  events.on('completed', ({ jobId, returnvalue }) => {
    const job = pending.get(jobId);
    begin(job);
    job?.settle(checkOutcome(returnvalue, jobId));
  });
  events.on('failed', ({ jobId, failedReason }) => {
    const job = pending.get(jobId);
    if (job !== undefined) fail(job, failedReason);
  });
}

function begin(job: Pending | undefined): void {
  if (job === undefined || job.hasBegun) return;
  job.hasBegun = true;
  job.how.begin();
}

function fail({ settle, place }: Pending, error: string): void {
  settle({ status: 'failed', error, ...place });
}

/** Asks where each job stands: events are lost where Redis restarts, and jobs where it had not written them. */
async function lookAtAll(queue: Queue, pending: ReadonlyMap<string, Pending>): Promise<void> {
  for (const [id, entry] of [...pending]) {
    const job = await queue.getJob(id);
    if (pending.get(id) !== entry || entry.how.signal.aborted) continue;
    if (job === undefined) await entry.add();
    else if (await job.isCompleted()) entry.settle(checkOutcome(job.returnvalue, job.name));
    else if (await job.isFailed()) fail(entry, job.failedReason);
  }
}

/** Takes a job that waits out of the queue; asks the worker of one that runs to save and stop, until it has. */
async function stopJob(
  queue: Queue,
  redis: Redis,
  id: string,
  pending: ReadonlyMap<string, Pending>,
): Promise<void> {
  const entry = pending.get(id);
  const until = Date.now() + STOP_LIMIT_MS;
  while (entry !== undefined && pending.get(id) === entry && Date.now() < until) {
    try {
      const job = await queue.getJob(id);
      if (job === undefined || (await removeWaiting(job))) break;
      await redis.publish(stopChannel(queue.name), id);
    } catch {
      // Redis is away or full: asked again.
    }
    await wait(STOP_MS);
  }
  entry?.settle({ status: 'interrupted', ...entry.place });
}

/** Whether a job could be removed: one that a worker has taken is locked. */
async function removeWaiting(job: { readonly remove: () => Promise<void> }): Promise<boolean> {
  try {
    await job.remove();
    return true;
  } catch {
    return false;
  }
}
