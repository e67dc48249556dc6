/** What the command line comes with, and what it is told to load. */
import nodeGpu from '@grok/backend-node-gpu';
import onnx from '@grok/backend-onnx';
import wasm from '@grok/backend-wasm';
import { createRegistry, InputError, isInputError, type Plugin, type Registry } from '@grok/core';
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

/**
 * Does something with a run that began with plugins. A run's folder may come from anywhere, so the
 * plugins that it names are not loaded; where one is missed, the error says which to name.
 */
export async function withPluginsOf<T>(
  began: readonly string[],
  given: readonly string[],
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const missing = began.filter((entry) => !given.includes(entry));
    if (!isInputError(error) || missing.length === 0 || !error.message.startsWith('unknown'))
      throw error;
    const flags = missing.map((entry) => `--plugin ${entry}`).join(' ');
    throw new InputError(`${error.message}; the run began with ${flags}: name it again`, {
      cause: error,
    });
  }
}
