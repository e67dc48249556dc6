/** The tfjs backend that is registered, as a backend of grok: where suites run unless told otherwise. */
import { type Backend, eagerBackend } from '@grok/core';
import * as tf from '@grok/tfjs';

/** @throws when no tfjs backend is registered; import one, such as `@tensorflow/tfjs-backend-cpu`. */
export async function registeredBackend(): Promise<Backend> {
  await tf.ready();
  const tfjs = tf.getBackend();
  return eagerBackend({
    name: tfjs,
    tfjs,
    device: `tfjs ${tf.version_core} ${tfjs}`,
    threads: 1,
    bitExact: true,
  });
}
