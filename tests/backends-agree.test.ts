/** One specification on several backends gives the same losses, step by step, in float32. */
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore, startRun } from '@grok/core';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { expect, test } from 'vitest';

const registry = createRegistry([data, model, optim, onnx, wasm]);
const experiment = {
  task: { use: 'div', options: { p: 23 } },
  model: { use: 'transformer', options: { dim: 64, depth: 2, dropout: 0.2 } },
  optimizer: { use: 'adamw', options: { learningRate: 0.001, weightDecay: 1 } },
  ...{ batch: 64, epochs: 13, seed: 42 },
};

async function lossesOn(backend: string): Promise<number[]> {
  const losses: number[] = [];
  await startRun(
    { experiment, execution: { backend, threads: 1 } },
    {
      registry,
      store: memoryStore(),
      listeners: [(event) => void (event.type === 'step' && losses.push(event.loss))],
    },
  );
  return losses.slice(0, 50);
}

// Catches: masks, row order or optimizer that differ by backend; a rewritten graph that computes
// something else.
test('onnx and wasm give the same 50 losses to 1e-4', async () => {
  const [graph, eager] = [await lossesOn('onnx'), await lossesOn('wasm')];
  expect(graph).toHaveLength(50);
  const worst = Math.max(...graph.map((loss, i) => Math.abs(loss / eager[i]! - 1)));
  expect(worst).toBeLessThan(1e-4);
  expect(graph[49]).toBeLessThan(graph[0]!);
});
