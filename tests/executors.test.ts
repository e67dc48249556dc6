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
import { inlineExecutor } from '@grok/study';
import { processExecutor } from '@grok/study/process';
import { executorSuite } from '@grok/testing';
import { afterAll, describe } from 'vitest';

const cli = fileURLToPath(new URL('../apps/cli/dist/cli.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'grok-executors-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
let count = 0;
const openIn = (root: string) => (folder: string) => fileStore(join(root, folder));

executorSuite('inline', () => {
  const open = openIn(join(home, String(count++)));
  const registry = createRegistry([data, model, optim, logit, wasm]);
  return { executor: inlineExecutor({ registry, open }), open };
});
describe.skipIf(!existsSync(cli))('with the command line as it is built', () => {
  executorSuite('of processes', () => {
    const root = join(home, String(count++));
    const command = [cli, 'study-worker'] as const;
    const open = openIn(root);
    return { executor: processExecutor({ root, open, command, jobs: 2 }), open };
  });
});
