/** What browser tests need before any of them: the binaries of `wasm`, and `cpu` still the first choice, as in Node. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@grok/tfjs';
import { placeWasmFiles } from '../src/work/wasm-files.js';

await placeWasmFiles();
const factory = tf.findBackendFactory('wasm');
tf.removeBackend('wasm');
tf.registerBackend('wasm', factory, 0);
