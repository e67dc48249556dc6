/** The connection to Redis: refused in one line at the start, waited for later. */
import { InputError } from '@grok/core';
import { Redis } from 'ioredis';

/** Options of the executor `bullmq`. */
export interface QueueOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url: string;
  /** Name of the queue. */
  readonly queue: string;
  /** How many jobs of a study are in the queue at once. */
  readonly jobs: number;
  /** 1 is taken first. */
  readonly priority: number;
  /** Seconds after which a worker that does not answer loses its job. */
  readonly lockSeconds: number;
}

/** Where Redis is, without its password. */
export function describeRedis(url: string): string {
  return `redis ${new URL(url).host}`;
}

/**
 * Connects to Redis. What is lost later comes back by itself, and `notice` hears of it.
 * @throws InputError when there is no answer at the start.
 */
export async function connectRedis(url: string, notice: (message: string) => void): Promise<Redis> {
  checkUrl(url);
  const where = describeRedis(url);
  let isReady = false;
  let cause = '';
  const redis = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: null, // commands wait while Redis restarts
    retryStrategy: (times) => (isReady ? Math.min(250 * times, 5000) : null),
  });
  redis.on('error', (error: Error) => {
    cause = error.message || String(Reflect.get(error, 'code'));
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw new InputError(
      `${where}: cannot be used (${cause || (error as Error).message}); start Redis there, or give another url`,
      { cause: error },
    );
  }
  isReady = true;
  let isLost = false;
  redis.on('close', () => {
    if (!isLost && redis.status !== 'end')
      notice(`${where}: connection lost; waiting for it to come back`);
    isLost = true;
  });
  redis.on('ready', () => {
    if (isLost) notice(`${where}: connected again`);
    isLost = false;
  });
  return redis;
}

function checkUrl(url: string): void {
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol))
    throw new InputError(
      `executor "bullmq": url must be such as redis://host:6379, got ${JSON.stringify(url)}`,
    );
}

/** The channel on which workers hear that a job is to stop. */
export const stopChannel = (queue: string): string => `grok:${queue}:stop`;
