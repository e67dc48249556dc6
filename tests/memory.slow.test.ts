/** Memory over 5,000 steps: constant tensor counts, and resident size within 50 MB after warm-up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import { createRegistry, type RunEvent, startRun } from '@grok/core';
import { fileStore } from '@grok/core/node';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import * as tf from '@grok/tfjs';
import { afterAll, expect, test } from 'vitest';

const MB = 2 ** 20;
// Collects garbage, so that only live memory counts.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const folder = mkdtempSync(join(tmpdir(), 'grok-memory-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  { backend: 'onnx', p: 97, dim: 128, batch: 512 },
  { backend: 'wasm', p: 23, dim: 32, batch: 64 },
])('$backend leaks nothing from step to step', async ({ backend, p, dim, batch }) => {
  const rows = Math.floor((p * (p - 1)) / 2);
  const perEpoch = Math.ceil(rows / batch);
  const samples: { step: number; tensors: number; resident: number }[] = [];
  const listener = (event: RunEvent): void => {
    if (event.type !== 'step' || event.step % 100 !== 0) return;
    collect();
    const tensors = tf.memory().numTensors;
    samples.push({ step: event.step, tensors, resident: process.memoryUsage.rss() });
  };
  await startRun(
    {
      experiment: {
        task: { use: 'div', options: { p } },
        model: { use: 'transformer', options: { dim, dropout: 0.2 } },
        optimizer: { use: 'adamw', options: { warmup: 10 } },
        batch,
        epochs: Math.ceil(5000 / perEpoch),
        seed: 1,
      },
      execution: { backend, threads: 2 },
    },
    {
      registry: createRegistry([data, model, optim, onnx, wasm]),
      store: fileStore(join(folder, backend)),
      listeners: [listener],
    },
  );
  const warm = samples.filter(({ step }) => step >= 500);
  const [first, last] = [warm[0], warm.at(-1)];
  if (first === undefined || last === undefined) throw new Error('no step after the 500th');
  const [before, after] = [first.resident / MB, last.resident / MB];
  const growth = after - before;
  console.info(
    `${backend}: ${last.step} steps, ${first.tensors} → ${last.tensors} tensors, resident ${before.toFixed(0)} → ${after.toFixed(0)} MB`,
  );
  expect(new Set(samples.map(({ tensors }) => tensors)).size).toBe(1);
  expect(Math.abs(growth)).toBeLessThan(50);
});
