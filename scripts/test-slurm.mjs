/**
 * Tests `@grok/executor-slurm` on a real Slurm of one node on loopback: the suite of executors, a study whose
 * coordinator leaves and whose jobs are warned, and all killed at once. `npm run test:slurm`, as root;
 * `npm run test:slurm -- suite` or `study` for a part.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startSlurm, whyNoSlurm } from './engines/slurm.mjs';
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

const missing = whyNoSlurm();
if (missing !== undefined) {
  console.log(`slurm: skipped, ${missing}`);
  process.exit(0);
}
const parts = process.argv.slice(2);
/** @param {string} part */
const requested = (part) => parts.length === 0 || parts.includes(part);
const home = mkdtempSync(join(tmpdir(), 'grok-slurm-'));
const slurm = await startSlurm(home);
Object.assign(process.env, slurm.env);
const began = performance.now();
/** @param {string} what */
const tell = (what) => console.log(`${Math.round((performance.now() - began) / 1000)} s: ${what}`);
/** @type {import('./engines/study.mjs').Started[]} */
const all = [];
/** @param {string} file @param {string} folder @param {readonly string[]} more */
function study(file, folder, more = ['--executor', 'slurm:pollSeconds=1']) {
  const grok = startGrok(['study', 'run', file, '--out', folder, '--quiet', ...more]);
  all.push(grok);
  return grok;
}
/** @param {string} command @param {readonly string[]} args */
const run = (command, args) => spawnSync(command, args, { encoding: 'utf8' }).stdout;

for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const { child } of all) child.kill('SIGKILL');
    void slurm.stop().then(() => process.exit(1));
  });
try {
  if (requested('suite')) suite();
  if (requested('study')) await studies();
  console.log('slurm: passed');
} finally {
  for (const grok of all) await end(grok, 'SIGKILL');
  await slurm.stop();
  rmSync(home, { recursive: true, force: true });
}

function suite() {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', 'node', 'tests/executor-slurm.test.ts'],
    { cwd: root, stdio: 'inherit', env: { ...process.env, GROK_SLURM: 'yes' } },
  );
  if (status !== 0) throw new Error('the suite failed');
}

async function studies() {
  const file = writePlan(home, generations);
  const local = join(home, 'local');
  await finished(study(file, local, []));
  const expected = table(local);
  tell(`local: ${countFinished(local)} runs`);

  const folder = join(home, 'left');
  const first = study(file, folder);
  await untilFinished(folder, 3, first);
  await end(first, 'SIGKILL');
  tell(`the coordinator is gone after ${countFinished(folder)} runs`);
  const job = await findBegun(folder);
  run('scancel', ['--signal=USR1', '--batch', job]);
  tell(`job ${job} is warned`);
  while (run('squeue', ['--noheader']).trim() !== '') await wait(1000);
  const outcomes = readdirSync(join(folder, 'jobs')).filter((name) =>
    name.endsWith('.outcome.json'),
  );
  const log = readFileSync(join(folder, 'jobs', `${job}.log`), 'utf8');
  if (!log.includes('saving and stopping')) throw new Error(`job ${job} did not save: ${log}`);
  tell(`Slurm did the rest: ${outcomes.length} jobs ended, the warned one saved and was requeued`);
  await finished(study(file, folder));
  same(folder, expected);

  const other = join(home, 'all');
  const second = study(file, other);
  await untilFinished(other, 8, second);
  await end(second, 'SIGKILL');
  run('scancel', ['--user=root', '--signal=KILL', '--full']);
  run('scancel', ['--user=root']);
  tell(`killed everything after ${countFinished(other)} runs`);
  await finished(study(file, other));
  same(other, expected);
}

/** Slurm's name of a job whose run has begun. @param {string} folder */
async function findBegun(folder) {
  for (;;) {
    const refs = JSON.parse(readFileSync(join(folder, 'jobs/slurm.json'), 'utf8'));
    const written = readdirSync(join(folder, 'jobs'));
    const running = run('squeue', ['--noheader', '--array', '--states=RUNNING', '--format=%i']);
    for (const [id, ref] of Object.entries(refs))
      if (written.includes(`${id}.bound.json`) && running.split('\n').includes(ref)) return ref;
    await wait(50);
  }
}

/** @param {string} folder @param {string} expected */
function same(folder, expected) {
  if (table(folder) !== expected)
    throw new Error(`${folder}: another table than local:\n${table(folder)}\n${expected}`);
  tell('the same table as local');
}
