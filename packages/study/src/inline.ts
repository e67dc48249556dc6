/** An executor without requirements: it runs jobs in this process, one at a time, for browsers, tests and single cores. */
import { type Component, defineExecutor, type Executor, schema } from '@grok/core';
import { type CarryOutHost, jobRunner } from './carry-out.js';
import { queueExecutor } from './queue-executor.js';

/** Creates an executor in this process. */
export function inlineExecutor(host: CarryOutHost): Executor {
  const { open } = host;
  return queueExecutor({ name: 'inline', slots: 1, open, carryOut: jobRunner(host) });
}

/** The executor `inline`, as a component. */
export const inline: Component<'executor'> = defineExecutor({
  name: 'inline',
  summary: 'One run at a time, in this process.',
  options: schema({}),
  create: () => (host) => queueExecutor({ name: 'inline', slots: 1, ...host }),
});
