/** A contestant: `stock-model.mjs` on stock TensorFlow.js's WebAssembly backend, in Node. */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import * as tf from '@grok/tfjs';
import { serve } from '../protocol.mjs';
import { BATCH } from '../task.mjs';
import { openStock } from './stock-model.mjs';

const { values } = parseArgs({
  options: { dim: { type: 'string', default: '128' }, dropout: { type: 'string', default: '0.2' } },
});

const near = createRequire(new URL('../../packages/backend-wasm/package.json', import.meta.url));
const { version_wasm } = near('@tensorflow/tfjs-backend-wasm');
await tf.setBackend('wasm');
await tf.ready();
const { step, epoch, evaluate, parameters } = openStock({
  dim: Number(values.dim),
  rate: Number(values.dropout),
});

// Warm-up: the batch sizes of an epoch, and the evaluation at its best size.
step(Array.from({ length: BATCH }, (_, i) => i));
step(Array.from({ length: 48 }, (_, i) => i));
const sizes = [4656, 1164, 582, 291].map((size) => {
  const start = performance.now();
  evaluate(size);
  return { size, time: performance.now() - start };
});
const { size } = sizes.reduce((a, b) => (b.time < a.time ? b : a));

await serve(
  {
    version: `tfjs-backend-wasm ${version_wasm}`,
    threads: 1,
    parameters,
    evaluationBatch: size,
  },
  () => {
    const lap = epoch();
    const start = performance.now();
    const accuracy = evaluate(size);
    return { ...lap, evalMs: performance.now() - start, accuracy };
  },
);
