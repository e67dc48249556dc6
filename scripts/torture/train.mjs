/**
 * A small run in its own process, for kills: `node train.mjs FOLDER`. It uses core's public API
 * and no more packages than it needs, since it is started hundreds of times.
 */
import wasm from '@grok/backend-wasm';
import { createRegistry, isInputError, isRunError, startRun } from '@grok/core';
import { fileStore } from '@grok/core/node';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';

const [folder = ''] = process.argv.slice(2);
const registry = createRegistry([data, model, optim, wasm]);
const experiment = {
  task: { use: 'div', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 4, depth: 1, heads: 1 } },
  optimizer: { use: 'adamw', options: { learningRate: 0.01 } },
  ...{ batch: 8, epochs: 4, seed: 7 },
};
const execution = { backend: 'wasm', threads: 1, checkpointEvery: 2 };
try {
  // Starts a run, or resumes one that was killed.
  const store = fileStore(folder);
  const { status } = await startRun({ experiment, execution }, { registry, store });
  process.stdout.write(`${status}\n`);
} catch (error) {
  if (!isInputError(error) && !isRunError(error)) process.stderr.write('this is a bug: ');
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = isInputError(error) ? 2 : 1;
}
