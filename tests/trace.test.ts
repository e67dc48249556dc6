/**
 * The paper's control step by step: a trace of losses in Node and in Chromium, compared with the
 * one from Node in `trace.json`.
 */
import onnx from '@grok/backend-onnx';
import { createRegistry, memoryStore, startRun } from '@grok/core';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { expect, test } from 'vitest';
import trace from './trace.json' with { type: 'json' };

const STEPS = 50;
const experiment = {
  task: { use: 'div', options: { p: 97 } },
  split: { use: 'numpy', options: { trainFraction: 0.5 } },
  model: { use: 'transformer', options: { dim: 64, depth: 2, heads: 1, dropout: 0.2 } },
  optimizer: { use: 'adamw', options: { learningRate: 0.001, weightDecay: 1, warmup: 0 } },
  objective: [{ use: 'hard' }],
  batch: 512,
  epochs: 5,
  seed: 42,
};

// Catches: a runtime whose kernels, masks, row order or optimizer differ; a lowering for browsers
// only.
test('the first 50 losses of the paper’s control match the stored trace to 1e-3', async () => {
  const losses: number[] = [];
  await startRun(
    { experiment, execution: { backend: 'onnx', threads: 1 } },
    {
      registry: createRegistry([data, model, optim, onnx]),
      store: memoryStore(),
      listeners: [(event) => void (event.type === 'step' && losses.push(event.loss))],
    },
  );
  expect(losses).toHaveLength(STEPS);
  expect(trace.losses).toHaveLength(STEPS);
  const worst = Math.max(...losses.map((loss, i) => Math.abs(loss / trace.losses[i]! - 1)));
  console.info(`worst relative difference ${worst.toExponential(1)}`);
  expect(worst).toBeLessThan(1e-3);
  expect(losses.at(-1)).toBeLessThan(0.99 * losses[0]!);
});
