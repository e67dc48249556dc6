/** The reference's results in a browser: every committed file on `onnx` and `wasm`, and on WebGPU if there is an adapter. */
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import { type Backend, createRegistry } from '@grok/core';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import { attentionEntropy, cka, computeEffectiveRanks } from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';
import { type Find, type ParityFile, type ParityMetrics, runParity } from '@grok/testing/parity';
import * as tf from '@grok/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const registry = createRegistry([
  ...[onnx, wasm, data, model, optim],
  ...[attention, feature, logit],
]);
const find: Find = (kind, name) => registry.get(kind, name);
const metrics: ParityMetrics = {
  cka,
  participation: (x) => computeEffectiveRanks(x).asPublished,
  attentionEntropy: (pattern) => attentionEntropy(pattern).mean,
};
const names = [
  ...['distill-all', 'distill-attention', 'distill-feature', 'distill-logit', 'dropout', 'metrics'],
  ...['model-dim32', 'model-heads2-mean'],
].map((name) => `${name}.safetensors`);

async function file(name: string): Promise<ParityFile> {
  const url = new URL(`./fixtures/${name}`, import.meta.url);
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  return { name, bytes };
}
const gpu = (navigator as { gpu?: { requestAdapter(): Promise<object | null> } }).gpu;
const adapter = (await gpu?.requestAdapter()) ?? null;

// Catches: any number that differs from the reference's by more than float32 explains.
describe.each([
  { name: 'onnx', options: {}, files: [...names, 'splits.json'] },
  { name: 'wasm', options: {}, files: [...names, 'splits.json'] },
])('$name', ({ name, options, files }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await registry.create('backend', name, options, { tf });
  });
  it.each(files)('%s', async (of) => {
    expect(await outcome(backend, of)).toBe('passed');
  });
});

describe.skipIf(adapter === null)('onnx on WebGPU (skipped without a WebGPU adapter)', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await registry.create('backend', 'onnx', { provider: 'webgpu' }, { tf });
  });
  afterAll(() => backend.dispose());
  it('reports a missing adapter (catches: a provider that falls back silently)', () => {
    expect(backend.device).toContain('webgpu');
    expect(backend.capabilities.bitExact).toBe(false);
  });
  // Small files only: the adapter of a test machine computes in software.
  const small = ['model-heads2-mean.safetensors', 'dropout.safetensors'];
  it.each(small)('%s', { timeout: 600_000 }, async (of) => {
    expect(await outcome(backend, of)).toBe('passed');
  });
});

/** Returns `passed`, or what was wrong. */
async function outcome(backend: Backend, name: string): Promise<string> {
  const kept = { ...backend, dispose: async () => {} };
  const backends = [{ name: backend.name, create: () => kept }];
  const [result] = await runParity({ backends, files: [await file(name)], find, metrics });
  return result?.status === 'passed' ? 'passed' : `${result?.status}: ${result?.where}`;
}
