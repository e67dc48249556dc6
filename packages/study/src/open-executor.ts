/** An executor by its name, as any other component. */
import type { Executor, ExecutorHost, Registry } from '@grok/core';
import type { Use } from '@grok/core/internal';
import * as tf from '@grok/tfjs';

/** Creates the executor that a registry knows by a name, for a study. @throws InputError on an unknown name or a bad option. */
export function openExecutor(
  registry: Registry,
  { use, options }: Use,
  host: ExecutorHost,
): Executor {
  return registry.create('executor', use, options, { tf })(host);
}
