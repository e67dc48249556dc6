/** The executor `slurm` on the Slurm of this machine where GROK_SLURM is set; `npm run test:slurm` starts one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRegistry, type Store } from '@grok/core';
import { fileStore } from '@grok/core/node';
import slurm from '@grok/executor-slurm';
import { jobRunner, openExecutor } from '@grok/study';
import { executorSuite } from '@grok/testing';
import * as tf from '@grok/tfjs';
import { afterAll, describe, expect, it, vi } from 'vitest';

const cli = fileURLToPath(new URL('../apps/cli/dist/cli.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'grok-slurm-suite-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const registry = createRegistry([slurm]);
let count = 0;

function openStudy() {
  const root = join(home, String(count++));
  const open = (folder: string): Store => fileStore(join(root, folder));
  const use = { use: 'slurm', options: { pollSeconds: 1 } };
  const executor = openExecutor(registry, use, {
    ...{ open, carryOut: jobRunner({ registry, open }) },
    worker: { root, command: [cli, 'study-worker'] },
  });
  return { executor, open };
}

describe.skipIf(process.env.GROK_SLURM === undefined)(
  'executor slurm (skipped without GROK_SLURM)',
  () => executorSuite('slurm', openStudy),
);

it('says in one line that Slurm is not here (catches: a stack, a study begun without it)', async () => {
  vi.stubEnv('PATH', home);
  const { executor } = openStudy();
  const job = {
    key: 'run',
    experiment: {
      task: { use: 'add' },
      model: { use: 'transformer' },
      optimizer: { use: 'adamw' },
      batch: 8,
      epochs: 1,
      seed: 1,
    },
  };
  await expect(executor.submit([job], [])).rejects.toThrow(
    'executor "slurm": sbatch cannot be started (spawn sbatch ENOENT); run the study where Slurm\'s commands are installed',
  );
  vi.unstubAllEnvs();
  await executor.dispose();
});

it('is served by sbatch alone (catches: a worker that waits for a job it has not)', async () => {
  const { serve } = registry.create('executor', 'slurm', {}, { tf });
  const host = {
    carryOut: () => Promise.reject(new Error('nothing to carry out')),
    open: fileStore,
    signal: new AbortController().signal,
    notice: () => {},
  };
  await expect(serve?.(host)).rejects.toThrow(
    'its workers are started by sbatch; start the study with --executor slurm',
  );
});
