/**
 * Makes tfjs's cpu backend store and compute in float64, so that what is exact algebra can be told from
 * what is rounded. tfjs looks `Float32Array` up by name whenever it makes an array.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@grok/tfjs';
import { afterAll } from 'vitest';

/** To be called before a file makes its first array; it holds until the file's last test. */
export function useFloat64(): void {
  const original = globalThis.Float32Array;
  const { platform } = tf.env();
  const { isTypedArray } = platform;
  globalThis.Float32Array = Float64Array as unknown as typeof Float32Array;
  // In Node tfjs asks the platform, which knows the real Float32Array only.
  Object.assign(platform, { isTypedArray: ArrayBuffer.isView });
  afterAll(() => {
    globalThis.Float32Array = original;
    Object.assign(platform, { isTypedArray });
  });
}
