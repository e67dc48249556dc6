/**
 * Makes tfjs's cpu backend store and compute in float64, to distinguish exact algebra from
 * rounding. tfjs looks up `Float32Array` by name whenever it allocates an array.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@grok/tfjs';
import { afterAll } from 'vitest';

/** Call before a file creates its first array; it stays in effect until the file's last test. */
export function useFloat64(): void {
  const original = globalThis.Float32Array;
  const { platform } = tf.env();
  const { isTypedArray } = platform;
  globalThis.Float32Array = Float64Array as unknown as typeof Float32Array;
  // In Node, tfjs asks the platform, which only knows the real Float32Array.
  Object.assign(platform, { isTypedArray: ArrayBuffer.isView });
  afterAll(() => {
    globalThis.Float32Array = original;
    Object.assign(platform, { isTypedArray });
  });
}
