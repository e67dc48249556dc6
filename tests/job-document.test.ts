/** Jobs that leave their machine: who may carry them out, and how many may wait. */
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore, type Store } from '@grok/core';
import type { JobDocument, JobWatch } from '@grok/core/internal';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { jobServer, listPackages } from '@grok/study';
import { describe, expect, it } from 'vitest';

const registry = createRegistry([data, model, optim, logit, wasm]);
const stores = new Map<string, Store>();
function open(root: string, folder: string): Store {
  const name = `${root}/${folder}`;
  const store = stores.get(name) ?? memoryStore(name);
  stores.set(name, store);
  return store;
}
const document: JobDocument = {
  format: 'grok job 1',
  packages: listPackages(registry),
  root: 'study',
  job: {
    key: 'run',
    experiment: {
      task: { use: 'add', options: { p: 5 } },
      model: { use: 'transformer', options: { dim: 8, depth: 1 } },
      optimizer: { use: 'adamw' },
      batch: 8,
      epochs: 1,
      seed: 1,
    },
    execution: { backend: 'wasm', threads: 2 },
  },
  edges: [],
};
const watch = (): JobWatch => ({ signal: new AbortController().signal, listener: () => {} });
const serve = (given: unknown, capabilities = { threads: 2, backends: ['wasm'] }) =>
  jobServer({ registry, open, capabilities })(JSON.parse(JSON.stringify(given)), watch());

describe('a worker', () => {
  it('carries out a document (catches: a document that loses a part of its job)', async () => {
    expect(await serve(document)).toMatchObject({ status: 'finished' });
  });

  it.each([
    [
      'of another version',
      { ...document, packages: { ...document.packages, '@grok/core': '7.0.0' } },
      'job run: was submitted with @grok/core 7.0.0, this worker has 0.1.0; install the same version of grok on both',
    ],
    [
      'without a plugin',
      { ...document, packages: { ...document.packages, 'grok-rkd': '1.2.0' } },
      'job run: was submitted with the plugin grok-rkd 1.2.0, which is not loaded here; install it and pass --plugin grok-rkd',
    ],
    [
      'that cannot read the document',
      { ...document, format: 'grok job 2' },
      'it was submitted by another version of grok; install the same version here',
    ],
  ])(
    '%s refuses it (catches: other bits, a run that fails for its worker)',
    async (_, given, message) => {
      await expect(serve(given)).rejects.toMatchObject({
        message: expect.stringContaining(message),
        code: 'worker-refuses',
        data: { reason: 'version' },
      });
    },
  );

  it('without the threads or the backend leaves it to another (catches: a run that fails for its worker)', async () => {
    const refusal = { code: 'worker-refuses', data: { reason: 'capability' } };
    await expect(serve(document, { threads: 1, backends: ['wasm'] })).rejects.toMatchObject({
      ...refusal,
      message: 'job run: needs 2 threads, this worker has 1',
    });
    await expect(serve(document, { threads: 2, backends: ['onnx'] })).rejects.toMatchObject({
      ...refusal,
      message: 'job run: needs the backend "wasm", this worker has onnx',
    });
  });

  it('says what is wrong with a job whose teacher is not there (catches: a rejection that ends the worker)', async () => {
    const edge = { job: 'run', as: 'teacher', teacher: 'nobody', at: 'last' };
    expect(await serve({ ...document, edges: [edge] })).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('its teachers are not finished'),
    });
  });
});
