/** A contestant: grok's own trainer, one epoch with evaluation at every `go`. */
import { parseArgs } from 'node:util';
import { serve } from './protocol.mjs';
import { openTraining } from './training.mjs';

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'onnx' },
    threads: { type: 'string', default: '2' },
    dim: { type: 'string', default: '128' },
    dropout: { type: 'string', default: '0.2' },
    strategy: { type: 'string', default: 'none' },
  },
});
const training = await openTraining({
  backend: values.backend,
  threads: Number(values.threads),
  dim: Number(values.dim),
  dropout: Number(values.dropout),
  strategy: values.strategy,
});
// The first epochs warm caches and clocks.
for (let i = 0; i < 2; i++) await training.epoch();

const { device, threads, parameters, compileMs, programs } = training;
await serve({ version: device, threads, parameters, compileMs, programs }, () => training.epoch());
