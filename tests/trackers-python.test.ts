/**
 * Trackers that need a server or Python: each passes the suite of trackers on the real thing, which
 * `npm run test:trackers` brings up; what goes wrong without it is tested everywhere.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import wasm from '@grok/backend-wasm';
import { createRegistry, memoryStore, startRun, type TrackedRun, type Tracker } from '@grok/core';
import data from '@grok/data';
import model from '@grok/model';
import optim from '@grok/optim';
import { trackerSuite } from '@grok/testing';
import mlflowPlugin, { mlflow } from '@grok/track-mlflow';
import tensorboardPlugin from '@grok/track-tensorboard';
import trackioPlugin, { trackio } from '@grok/track-trackio';
import wandbPlugin, { wandb } from '@grok/track-wandb';
import { afterAll, describe, expect, test } from 'vitest';

const VERIFY = fileURLToPath(new URL('../scripts/trackers/verify.py', import.meta.url));
const { GROK_TRACKERS_PYTHON: python, GROK_TRACKERS_MLFLOW: uri } = process.env;
const dir = mkdtempSync(join(tmpdir(), 'grok-trackers-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The epochs that a tool's own Python package reads, in the order of steps. */
async function readEpochs(
  kind: string,
  run: TrackedRun,
  describe: (id: string) => object,
): Promise<readonly number[]> {
  const bytes = await run.store.read(`trackers/${run.name.replaceAll(' ', '%20')}.json`);
  const { id = '' }: { id?: string } = JSON.parse(new TextDecoder().decode(bytes));
  const args = [VERIFY, 'read', kind, JSON.stringify(describe(id))];
  const { stdout, stderr } = spawnSync(python ?? '', args, { encoding: 'utf8' });
  const rows: readonly [number, { epoch: number }][] = JSON.parse(
    stdout.trim().split('\n').at(-1) || stderr,
  );
  return rows.map(([, { epoch }]) => epoch);
}

describe.skipIf(!python)('on the real thing (skipped without npm run test:trackers)', () => {
  trackerSuite('mlflow', mlflow, {
    options: { uri, experiment: 'suite' },
    refuses: [{ uri: 1 }],
    recorded: (run) => readEpochs('mlflow', run, (id) => ({ uri, id })),
  });
  trackerSuite('wandb', wandb, {
    options: { python, dir },
    refuses: [{ mode: 'sometimes' }],
    recorded: (run) => readEpochs('wandb', run, (id) => ({ dir, id })),
  });
  trackerSuite('trackio', trackio, {
    options: { python, dir, project: 'suite' },
    refuses: [{ project: 1 }],
    recorded: (run) =>
      readEpochs('trackio', run, (id) => ({
        ...{ dir, project: 'suite', name: `${run.slug}-${id.split('-').at(-1)}` },
      })),
  });
});

const registry = createRegistry([data, model, optim, wasm]);
const experiment = {
  task: { use: 'add', options: { p: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1 } },
  optimizer: { use: 'adamw' },
  ...{ batch: 8, epochs: 2, seed: 1 },
};

/** What is told of a run whose tracker cannot work. */
async function collectNotices(tracker: Tracker): Promise<readonly string[]> {
  const notices: string[] = [];
  const { status } = await startRun(
    { experiment, execution: { backend: 'wasm' } },
    {
      ...{ registry, store: memoryStore('runs/it'), trackers: { it: tracker } },
      listeners: [(event) => void (event.type === 'notice' && notices.push(event.message))],
    },
  );
  expect(status).toBe('finished');
  return notices;
}
const LEFT = '2 metrics rows are not sent yet: send them with: grok track sync runs/it';

test('all four plugins are loaded side by side (a name that two have)', () => {
  const plugins = [tensorboardPlugin, mlflowPlugin, wandbPlugin, trackioPlugin];
  const listed = createRegistry(plugins).list();
  const names = listed.filter(({ kind }) => kind === 'tracker').map(({ name }) => name);
  expect(names).toEqual(['tensorboard', 'mlflow', 'wandb', 'trackio']);
});

test('a server that does not answer costs one line that says what to do (a stack, or a run that stops)', async () => {
  // Port 9 is refused by fetch itself where nothing listens; 1 is as good.
  const notices = await collectNotices(mlflow({ uri: 'http://127.0.0.1:1' }));
  expect(notices).toHaveLength(1);
  expect(notices[0]).toMatch(
    /MLflow at http:\/\/127\.0\.0\.1:1 cannot be reached \(.+\); start it/,
  );
  expect(notices[0]).toContain(LEFT);
  expect(notices[0]).not.toContain('\n');
});

test('without Python a line says how to name it (an error of spawn)', async () => {
  for (const tracker of [wandb, trackio]) {
    const notices = await collectNotices(tracker({ python: join(dir, 'no-python') }));
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain(
      'no-python cannot be started; install Python, or name it: python=',
    );
    expect(notices[0]).toContain(LEFT);
  }
});

const bare = spawnSync('python3', ['-I', '-c', 'import sys; sys.path = []'], { encoding: 'utf8' });
test.skipIf(bare.status !== 0)(
  'without its package a line says how to install it (skipped without python3)',
  async () => {
    const venv = join(dir, 'bare');
    spawnSync('python3', ['-m', 'venv', '--without-pip', venv]);
    const notices = await collectNotices(wandb({ python: join(venv, 'bin/python') }));
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('Python package wandb is missing; install it: ');
    expect(notices[0]).toContain('-m pip install wandb');
  },
);
