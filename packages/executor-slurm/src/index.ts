/** The executor `slurm`: runs of studies are array jobs of a Slurm cluster, students after their teachers. */
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
import { submitToSlurm } from './executor.js';
import type { SlurmOptions } from './script.js';
import { takeJob } from './worker.js';

/** Seconds between looks at the jobs. */
const POLL_SECONDS = 5;
/** Seconds before the time limit at which a run saves and its job is requeued. */
const WARN_SECONDS = 60;

/** The executor `slurm`. */
export const slurm: Component<'executor', Partial<SlurmOptions>> = defineExecutor({
  name: 'slurm',
  summary:
    'Array jobs of a Slurm cluster, submitted by sbatch; students start after their teachers.',
  options: schema({
    partition: text().optional().describe('partition, as sbatch takes it'),
    account: text().optional().describe('account that is charged'),
    qos: text().optional().describe('quality of service'),
    constraint: text().optional().describe('features that nodes must have'),
    gres: text().optional().describe('generic resources, such as gpu:1'),
    time: text().optional().describe('time limit of a job, such as 2:00:00'),
    memory: text().optional().describe('memory of a job, such as 4G'),
    pollSeconds: integer()
      .min(1)
      .max(600)
      .default(POLL_SECONDS)
      .describe('seconds between looks at the jobs'),
    warnSeconds: integer()
      .min(1)
      .max(3600)
      .default(WARN_SECONDS)
      .describe('seconds before the time limit at which a run saves'),
  }),
  create: (options): ExecutorFactory =>
    Object.assign(submitToSlurm(options), { serve: takeJob(process.env) }),
});

/** The executor `slurm`, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/executor-slurm',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [slurm],
});
export default plugin;
