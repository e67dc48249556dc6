/** The command line flags of this project's contestants. */
import { parseArgs } from 'node:util';

export function contestantFlags() {
  const { values } = parseArgs({
    options: {
      backend: { type: 'string', default: 'onnx' },
      threads: { type: 'string', default: '2' },
      dim: { type: 'string', default: '128' },
      dropout: { type: 'string', default: '0.2' },
      strategy: { type: 'string', default: 'none' },
      seed: { type: 'string', default: '42' },
      'warm-up': { type: 'string', default: '10' },
      // The first epochs warm up caches and clocks.
      unmeasured: { type: 'string', default: '2' },
    },
  });
  const { backend, strategy, 'warm-up': warmup, ...numbers } = values;
  const counts = Object.entries({ warmup, ...numbers }).map(([key, text]) => [key, Number(text)]);
  return { backend, strategy, ...Object.fromEntries(counts) };
}
