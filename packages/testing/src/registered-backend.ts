/** Wraps the registered tfjs backend, which is the default backend of the suites. */
import { type Backend, tfjsAdapter } from '@grok/core';
import { createBackend } from '@grok/core/internal';
import * as tf from '@grok/tfjs';

/** @throws when no tfjs backend is registered; import one, such as `@tensorflow/tfjs-backend-cpu`. */
export async function registeredBackend(): Promise<Backend> {
  await tf.ready();
  const name = tf.getBackend();
  const device = `tfjs ${tf.version_core} ${name}`;
  return createBackend(name, await tfjsAdapter({ tfjs: name, device, threads: 1, bitExact: true }));
}
