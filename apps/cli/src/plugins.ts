/** What the command line comes with, and what it is told to load. */
import nodeGpu from '@grok/backend-node-gpu';
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import { createRegistry, type Plugin, type Registry } from '@grok/core';
import { loadPlugin } from '@grok/core/node';
import data from '@grok/data';
import attention from '@grok/distill-attention';
import feature from '@grok/distill-feature';
import logit from '@grok/distill-logit';
import metrics from '@grok/metrics';
import model from '@grok/model';
import optim from '@grok/optim';

const builtIn: readonly Plugin[] = [
  data,
  model,
  optim,
  logit,
  attention,
  feature,
  metrics,
  onnx,
  wasm,
  nodeGpu,
];

/** A registry of all that is built in and of the named plugins: packages, folders or files. */
export async function openRegistry(entries: readonly string[], cwd: string): Promise<Registry> {
  const registry = createRegistry(builtIn);
  for (const entry of new Set(entries)) registry.add((await loadPlugin(entry, cwd)).plugin);
  return registry;
}
