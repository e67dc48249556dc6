/** The executor `bullmq` and its workers, on the Redis that GROK_REDIS names; `npm run test:bullmq` starts one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import wasm from '@grok/backend-wasm';
import { createRegistry, type Store } from '@grok/core';
import { fileStore } from '@grok/core/node';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import bullmq from '@grok/executor-bullmq';
import model from '@grok/model';
import optim from '@grok/optim';
import { jobRunner, jobServer, listPackages, openExecutor } from '@grok/study';
import { executorSuite } from '@grok/testing';
import * as tf from '@grok/tfjs';
import { afterAll, describe, expect, it } from 'vitest';

const url = process.env.GROK_REDIS;
const home = mkdtempSync(join(tmpdir(), 'grok-bullmq-'));
const registry = createRegistry([data, model, optim, logit, wasm, bullmq]);
const open = (root: string, folder: string): Store => fileStore(join(root, folder));
const experiment = {
  task: { use: 'add', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1 } },
  optimizer: { use: 'adamw' },
  batch: 8,
  epochs: 2,
  seed: 1,
};
let count = 0;
afterAll(() => rmSync(home, { recursive: true, force: true }));

function openStudy(options: Record<string, unknown>, packages = listPackages(registry)) {
  const root = join(home, String(count++));
  const own = (folder: string): Store => open(root, folder);
  const use = { use: 'bullmq', options: { ...options } as Record<string, string> };
  const executor = openExecutor(registry, use, {
    ...{ open: own, packages, carryOut: jobRunner({ registry, open: own }) },
    worker: { root, command: ['never started'] },
  });
  return { executor, open: own };
}

describe.skipIf(url === undefined)('executor bullmq (skipped without GROK_REDIS)', () => {
  const stop = new AbortController();
  const notices: string[] = [];
  const serve = (
    options: Record<string, unknown>,
    capabilities = { threads: 1, backends: ['wasm'] },
  ) => {
    const worker = registry.create('executor', 'bullmq', options, { tf }).serve;
    if (worker === undefined) throw new Error('bullmq has workers');
    return worker({
      ...{ open, signal: stop.signal, notice: (message) => void notices.push(message) },
      carryOut: jobServer({ registry, open, capabilities }),
    });
  };
  const shared = { url, queue: `suite-${process.pid}`, lockSeconds: 5 };
  const served = url === undefined ? undefined : serve(shared);
  afterAll(async () => {
    stop.abort();
    await served;
  });
  executorSuite('bullmq', () => openStudy(shared));

  it('a worker of another version puts the job back and ends (catches: runs whose bits are of two versions)', async () => {
    const options = { ...shared, queue: `version-${process.pid}` };
    const packages = { ...listPackages(registry), '@grok/model': '9.9.9' };
    const { executor } = openStudy(options, packages);
    const job = { key: 'run', experiment, execution: { backend: 'wasm', threads: 1 } };
    await executor.submit([job], []);
    await expect(serve(options)).rejects.toThrow(
      'job run: was submitted with @grok/model 9.9.9, this worker has 0.1.0; install the same version',
    );
    await executor.cancel();
    expect(await executor.collect()).toMatchObject([
      { key: 'run', outcome: { status: 'interrupted' } },
    ]);
    await executor.dispose();
  });

  it('a worker without enough threads leaves the job to another (catches: a study that needs them and fails)', async () => {
    const options = { ...shared, queue: `threads-${process.pid}` };
    const { executor } = openStudy(options);
    const job = { key: 'run', experiment, execution: { backend: 'wasm', threads: 2 } };
    await executor.submit([job], []);
    const small = serve(options);
    await expect
      .poll(() => notices.join('\n'), { timeout: 10_000 })
      .toContain('job run: needs 2 threads, this worker has 1; it is left to others');
    const large = serve(options, { threads: 2, backends: ['wasm'] });
    expect(await executor.collect()).toMatchObject([
      { key: 'run', outcome: { status: 'finished' } },
    ]);
    await executor.dispose();
    stop.abort();
    await Promise.all([small, large]);
  });
});

it('says in one line that Redis is not there (catches: a study that waits for ever, a stack)', async () => {
  const { executor } = openStudy({ url: 'redis://127.0.0.1:1' });
  await expect(executor.submit([{ key: 'run', experiment }], [])).rejects.toThrow(
    'redis 127.0.0.1:1: cannot be used (connect ECONNREFUSED 127.0.0.1:1); start Redis there, or give another url',
  );
  await executor.dispose();
  expect(() => openStudy({ url: 'redis://127.0.0.1:1', queue: 'a b' })).toThrow('queue');
});
