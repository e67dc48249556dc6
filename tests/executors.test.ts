/** The conformance suite on both executors, and their failures. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import wasm from '@grok/backend-wasm';
import { createRegistry } from '@grok/core';
import { fileStore } from '@grok/core/node';
import data from '@grok/data';
import logit from '@grok/distill-logit';
import model from '@grok/model';
import optim from '@grok/optim';
import { checkPlan, jobRunner, openExecutor, readJournal, runStudy } from '@grok/study';
import { executors, processExecutor } from '@grok/study/process';
import { executorSuite } from '@grok/testing';
import { afterAll, describe, expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../apps/cli/dist/cli.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'grok-executors-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
let count = 0;
const experiment = {
  task: { use: 'add', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1 } },
  optimizer: { use: 'adamw' },
  batch: 8,
  epochs: 2,
  seed: 1,
};
const openIn = (root: string) => (folder: string) => fileStore(join(root, folder));

executorSuite('inline', () => {
  const open = openIn(join(home, String(count++)));
  const registry = createRegistry([data, model, optim, logit, wasm, executors]);
  const carryOut = jobRunner({ registry, open });
  return { executor: openExecutor(registry, { use: 'inline' }, { open, carryOut }), open };
});
describe.skipIf(!existsSync(cli))(
  'with the command line as it is built (skipped without a build)',
  () => {
    executorSuite('of processes', () => {
      const root = join(home, String(count++));
      const worker = { root, command: [cli, 'study-worker'] as const };
      const open = openIn(root);
      const registry = createRegistry([executors]);
      const useProcesses = { use: 'processes', options: { jobs: 2 } };
      const host = { open, carryOut: jobRunner({ registry, open }), worker };
      return { executor: openExecutor(registry, useProcesses, host), open };
    });

    it('a killed process leaves no lease in its run’s folder', async () => {
      const root = join(home, String(count++));
      const script = join(home, 'dies.mjs');
      const core = new URL('../packages/core/dist/node/index.js', import.meta.url);
      writeFileSync(
        script,
        `import { fileStore } from ${JSON.stringify(core.href)};
       process.on('message', async ({ job, root }) => {
         const store = fileStore(root + '/' + job.folder);
         await store.write('begun', Uint8Array.of(1));
         await store.lease('work', 60);
         process.kill(process.pid, 'SIGKILL');
       });
       process.send({ type: 'ready' });`,
      );
      const executor = processExecutor({ root, open: openIn(root), command: [script], jobs: 1 });
      await executor.submit([{ key: 'a', experiment }], []);
      const [ended] = await executor.collect();
      await executor.dispose();
      expect(ended?.outcome).toMatchObject({
        status: 'failed',
        error: 'its process was ended by SIGKILL',
      });
      const [folder = ''] = readdirSync(root);
      expect(readdirSync(join(root, folder))).toEqual(['begun']);
    });
  },
);

/** A study of one run whose processes run a script; it counts its starts in a file. */
async function makeStudy(script: string) {
  const root = join(home, String(count++));
  const file = `${root}-worker.mjs`;
  const starts = `${root}-starts`;
  writeFileSync(file, script.replaceAll('STARTS', JSON.stringify(starts)));
  const plan = checkPlan(
    {
      ...{
        name: 'loaded',
        summary: 'For tests.',
        seeds: [0],
        arms: { none: { objective: [{ use: 'hard' }] } },
      },
      shared: {
        task: { use: 'add', options: { p: 5 } },
        optimizer: { use: 'adamw' },
        batch: 8,
        epochs: 1,
      },
      teacher: { model: { use: 'transformer', options: { dim: 4, depth: 1 } } },
      student: { model: { use: 'transformer', options: { dim: 4, depth: 1 } } },
    },
    'loaded',
  );
  const open = openIn(root);
  const executor = processExecutor({ root, open, command: [file, 'study-worker'], jobs: 1 });
  const registry = createRegistry([data, model, optim, logit, wasm]);
  const folder = { root: fileStore(root), open };
  const host = { registry, executor, ...folder, defaults: { backend: 'wasm' } };
  const result = runStudy(plan, { ...host, only: ['none'] });
  const status = await result.then(
    (done) => done.status,
    (error: Error) => error.message,
  );
  const journal = await readJournal(folder.root);
  return { status, starts: readFileSync(starts, 'utf8').length, journal };
}
const COUNTED = `import { appendFileSync, readFileSync } from 'node:fs'; appendFileSync(STARTS, '.');`;

it.skipIf(!existsSync(cli))(
  'a process that cannot load its modules is started again (catches: a failed run for a build that is being exchanged) (skipped without a build)',
  async () => {
    const late = `if (readFileSync(STARTS).length < 3) await import('./not-there-yet.mjs');`;
    const own = await makeStudy(
      `${COUNTED} ${late} process.argv[1] = ${JSON.stringify(cli)}; await import(process.argv[1]);`,
    );
    expect([own.status, own.starts]).toEqual(['finished', 3]);
    expect(own.journal.map((line) => ('status' in line ? line.status : line.type))).toEqual([
      'begin',
      'finished',
    ]);
  },
);

it('processes that can never load end the study without failing a run', async () => {
  const own = await makeStudy(`${COUNTED} await import('./never-there.mjs');`);
  expect(own.status).toContain('its process ended with code 1: ');
  expect(own.status).toContain('never-there');
  expect(own.status).toContain('no run was marked as failed: fix the installation');
  expect(own.starts).toBe(3);
  expect(own.journal.map(({ type }) => type)).toEqual(['begin']);
});

it('names the known executors, and a missing requirement (catches: a study that falls back to another executor)', () => {
  const registry = createRegistry([executors]);
  const open = openIn(home);
  const host = { open, carryOut: jobRunner({ registry, open }) };
  expect(() => openExecutor(registry, { use: 'proceses' }, host)).toThrow(
    'unknown executor "proceses": did you mean "processes"? Known: inline, processes',
  );
  expect(() => openExecutor(registry, { use: 'processes' }, host)).toThrow(
    'use the executor "inline"',
  );
  const options = { jobs: 0 };
  expect(() => openExecutor(registry, { use: 'processes', options }, host)).toThrow('jobs');
});
