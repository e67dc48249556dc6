/** Creates executors by name, like any other component. */
import type { Executor, ExecutorHost, Registry } from '@grok/core';
import type { Use } from '@grok/core/internal';
import * as tf from '@grok/tfjs';

/** Creates an executor by name for a study. @throws InputError on an unknown name or an invalid option. */
export function openExecutor(
  registry: Registry,
  { use, options }: Use,
  host: ExecutorHost,
): Executor {
  return registry.create('executor', use, options, { tf })(host);
}
