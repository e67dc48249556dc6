/**
 * Tests `@grok/executor-slurm` on a real Slurm of one node on loopback: the suite of executors, a study whose
 * coordinator leaves and whose jobs are warned, and all killed at once. `npm run test:slurm`, as root;
 * `npm run test:slurm -- suite` or `study` for a part.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openTest } from './engines/harness.mjs';
import { startSlurm, whyNoSlurm } from './engines/slurm.mjs';
import { countFinished, end, finished, untilFinished } from './engines/study.mjs';

const test = openTest('slurm', whyNoSlurm());
const { home, tell, study, same } = test;
const slurm = await startSlurm(home);
Object.assign(process.env, slurm.env);
const onSlurm = ['--executor', 'slurm:pollSeconds=1'];
/** @param {string} command @param {readonly string[]} args */
const run = (command, args) => spawnSync(command, args, { encoding: 'utf8' }).stdout;

await test.run(
  async () => {
    if (test.isRequested('suite')) test.suite({ GROK_SLURM: 'yes' });
    if (test.isRequested('study')) await studies();
  },
  () => slurm.stop(),
);

async function studies() {
  const { file, expected } = await test.expected();

  const folder = join(home, 'left');
  const first = study(file, folder, onSlurm);
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
  await finished(study(file, folder, onSlurm));
  same(folder, expected);

  const other = join(home, 'all');
  const second = study(file, other, onSlurm);
  await untilFinished(other, 8, second);
  await end(second, 'SIGKILL');
  run('scancel', ['--user=root', '--signal=KILL', '--full']);
  run('scancel', ['--user=root']);
  tell(`killed everything after ${countFinished(other)} runs`);
  await finished(study(file, other, onSlurm));
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
