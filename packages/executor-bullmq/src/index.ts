/** The executor `bullmq`: runs of studies wait in a BullMQ queue on Redis, and workers on any machine take them. */
import {
  type Component,
  defineExecutor,
  definePlugin,
  integer,
  type Plugin,
  schema,
  text,
} from '@grok/core';
import type { ExecutorFactory } from '@grok/core/internal';
import { queueJobs } from './queue.js';
import type { QueueOptions } from './redis.js';
import { takeJobs } from './worker.js';

/** Seconds after which a worker that does not answer loses its job. */
const LOCK_SECONDS = 30;
/** How many jobs of a study are in the queue at once: more only fill Redis. */
const AHEAD = 64;
const PRIORITY = 100;

/** The executor `bullmq`. */
export const bullmq: Component<'executor', Partial<QueueOptions>> = defineExecutor({
  name: 'bullmq',
  summary: 'A BullMQ queue on Redis; `grok worker --queue URL` carries out its jobs.',
  options: schema({
    url: text().default('redis://127.0.0.1:6379').describe('URL of the Redis server'),
    queue: text()
      .regex(/^[\w.-]+$/, 'may contain only letters, digits, . - _')
      .default('grok')
      .describe('name of the queue'),
    jobs: integer().positive().default(AHEAD).describe('number of jobs in the queue at once'),
    priority: integer()
      .min(1)
      .max(1000)
      .default(PRIORITY)
      .describe('priority of the jobs; smaller is first'),
    lockSeconds: integer()
      .min(1)
      .max(3600)
      .default(LOCK_SECONDS)
      .describe('seconds until a job of a dead worker is taken over'),
  }),
  create: (options): ExecutorFactory =>
    Object.assign(queueJobs(options), { serve: takeJobs(options) }),
});

/** The executor `bullmq`, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/executor-bullmq',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [bullmq],
});
export default plugin;
