/** A short training run on libtensorflow, if `GROK_NODE_GPU` names a folder that has it. */
import { memoryStore, type RunSpec, startRun } from '@grok/core';
import { describe, expect, it } from 'vitest';
import { registry } from './parity/at-hand.mjs';

const spec = (backend: string): RunSpec => ({
  experiment: {
    task: { use: 'div', options: { p: 23 } },
    model: { use: 'transformer', options: { dim: 32, dropout: 0.2 } },
    optimizer: { use: 'adamw', options: { learningRate: 1e-3, warmup: 2 } },
    batch: 128,
    epochs: 5,
    seed: 3,
  },
  execution: { backend },
});

describe.skipIf(!process.env.GROK_NODE_GPU)('node-gpu (skipped without GROK_NODE_GPU)', () => {
  // Catches: a step without training; masks or state that libtensorflow reads differently.
  it('matches wasm in training', async () => {
    const train = async (backend: string) =>
      startRun(spec(backend), { registry, store: memoryStore() });
    const [gpu, wasm] = [await train('node-gpu'), await train('wasm')];
    expect(gpu.manifest.device).toMatch(/^tfjs-node-gpu/);
    expect(gpu.history).toHaveLength(5);
    expect(gpu.history.at(-1)?.train.loss).toBeLessThan(gpu.history[0]!.train.loss);
    gpu.history.forEach((row, i) => {
      const other = wasm.history[i]!;
      expect(Math.abs(row.train.loss / other.train.loss - 1)).toBeLessThan(1e-4);
      expect(Math.abs(row.validation.loss / other.validation.loss - 1)).toBeLessThan(1e-4);
    });
  });
});
