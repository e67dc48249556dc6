/**
 * Import first: makes tfjs's cpu backend store and compute in float64, so that what is exact algebra
 * can be told from what is rounded. tfjs looks `Float32Array` up by name whenever it makes an array.
 */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@grok/tfjs';

globalThis.Float32Array = Float64Array as unknown as typeof Float32Array;
// In Node tfjs asks the platform, which knows the real Float32Array only.
Object.assign(tf.env().platform, { isTypedArray: ArrayBuffer.isView });
