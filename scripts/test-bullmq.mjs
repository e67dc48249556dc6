/**
 * Tests `@grok/executor-bullmq` on a real Redis on loopback: the suite of executors, a study with workers that
 * are killed and a Redis that restarts, all killed at once, and what the queue costs.
 * `npm run test:bullmq`; `npm run test:bullmq -- suite`, `study` or `overhead` for a part, the last only by name.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startRedis, whyNoRedis } from './engines/redis.mjs';
import {
  countFinished,
  end,
  finished,
  generations,
  root,
  startGrok,
  table,
  untilFinished,
  writePlan,
} from './engines/study.mjs';

const missing = whyNoRedis();
if (missing !== undefined) {
  console.log(`bullmq: skipped, ${missing}`);
  process.exit(0);
}
const parts = process.argv.slice(2);
/** @param {string} part */
const isRequested = (part) => (parts.length === 0 ? part !== 'overhead' : parts.includes(part));
const home = mkdtempSync(join(tmpdir(), 'grok-bullmq-'));
const port = await freePort();
let redis = await startRedis(home, port);
const { url } = redis;
const executor = `bullmq:url=${url},lockSeconds=5`;
const began = performance.now();
/** @param {string} what */
const tell = (what) => console.log(`${Math.round((performance.now() - began) / 1000)} s: ${what}`);
/** @type {import('./engines/study.mjs').Started[]} */
const all = [];
/** @param {readonly string[]} args */
const start = (args) => {
  const grok = startGrok(args);
  all.push(grok);
  return grok;
};
const worker = () => start(['worker', '--executor', executor]);
/** @param {string} file @param {string} folder @param {readonly string[]} more */
const study = (file, folder, more = ['--executor', executor]) =>
  start(['study', 'run', file, '--out', folder, '--quiet', ...more]);

// Ends what it started where it is told to stop.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const { child } of all) child.kill('SIGKILL');
    void redis.stop('SIGKILL').then(() => process.exit(1));
  });
try {
  if (isRequested('suite')) await suite();
  if (isRequested('study')) await studies();
  if (isRequested('overhead')) {
    const { overhead } = await import('./engines/overhead.mjs');
    await overhead({ home, study, worker, end, finished, tell });
  }
  console.log('bullmq: passed');
} finally {
  for (const grok of all) await end(grok, 'SIGKILL');
  await redis.stop('SIGKILL');
  rmSync(home, { recursive: true, force: true });
}

async function studies() {
  const file = writePlan(home, generations);
  const local = join(home, 'local');
  await finished(study(file, local, []));
  const expected = table(local);
  tell(`local: ${countFinished(local)} runs`);
  await withKills(file, expected);
  await allAtOnce(file, expected);
}

async function suite() {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', 'node', 'tests/executor-bullmq.test.ts'],
    { cwd: root, stdio: 'inherit', env: { ...process.env, GROK_REDIS: url } },
  );
  if (status !== 0) throw new Error('the suite failed');
}

/** One worker is killed, one is stopped, and Redis restarts. @param {string} file @param {string} expected */
async function withKills(file, expected) {
  const folder = join(home, 'kills');
  const workers = [worker(), worker(), worker()];
  const running = study(file, folder);
  await untilFinished(folder, 3, running);
  await end(workers[0], 'SIGKILL');
  tell('killed a worker');
  await untilFinished(folder, 6, running);
  await end(workers[1], 'SIGTERM');
  tell(`stopped a worker: ${workers[1].log.trim().split('\n').at(-1)}`);
  await untilFinished(folder, 9, running);
  await redis.stop();
  await wait(2000);
  redis = await startRedis(home, port);
  tell('restarted Redis');
  await finished(running);
  same(folder, expected);
  await end(workers[2], 'SIGTERM');
}

/** Workers, study and Redis are killed at once, and started again. @param {string} file @param {string} expected */
async function allAtOnce(file, expected) {
  const folder = join(home, 'all');
  const first = [worker(), worker(), study(file, folder)];
  await untilFinished(folder, 8, first[2]);
  await Promise.all([...first.map((grok) => end(grok, 'SIGKILL')), redis.stop('SIGKILL')]);
  tell(`killed everything after ${countFinished(folder)} runs`);
  redis = await startRedis(home, port);
  const workers = [worker(), worker()];
  await finished(study(file, folder));
  same(folder, expected);
  for (const each of workers) await end(each, 'SIGTERM');
}

/** @param {string} folder @param {string} expected */
function same(folder, expected) {
  if (table(folder) !== expected)
    throw new Error(`${folder}: another table than local:\n${table(folder)}\n${expected}`);
  tell(`${countFinished(folder)} runs, the same table as local`);
}
