/** What every executor must do, on both of ours. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
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
import { jobRunner, openExecutor } from '@grok/study';
import { executors } from '@grok/study/process';
import { executorSuite } from '@grok/testing';
import { afterAll, describe, expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../apps/cli/dist/cli.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'grok-executors-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
let count = 0;
const openIn = (root: string) => (folder: string) => fileStore(join(root, folder));

executorSuite('inline', () => {
  const open = openIn(join(home, String(count++)));
  const registry = createRegistry([data, model, optim, logit, wasm, executors]);
  const carryOut = jobRunner({ registry, open });
  return { executor: openExecutor(registry, { use: 'inline' }, { open, carryOut }), open };
});
describe.skipIf(!existsSync(cli))('with the command line as it is built', () => {
  executorSuite('of processes', () => {
    const root = join(home, String(count++));
    const worker = { root, command: [cli, 'study-worker'] as const };
    const open = openIn(root);
    const registry = createRegistry([executors]);
    const asked = { use: 'processes', options: { jobs: 2 } };
    const host = { open, carryOut: jobRunner({ registry, open }), worker };
    return { executor: openExecutor(registry, asked, host), open };
  });
});

it('names what is known, and what it lacks (catches: a study that falls back to another executor)', () => {
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
