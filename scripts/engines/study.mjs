/** A study of 24 small runs in three generations, carried out by the command line, and its table. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const cli = join(root, 'apps/cli/dist/cli.js');

/** Teachers, their students and these one's students: 24 runs. */
export const generations = {
  name: 'generations',
  summary: 'Three generations of small models.',
  shared: { task: { use: 'add', options: { p: 11 } }, batch: 16, epochs: 40 },
  teacher: small(16),
  student: small(8),
  arms: {
    none: { objective: [{ use: 'hard' }] },
    child: {
      objective: [
        { use: 'hard', weight: 0.5 },
        { use: 'logit', weight: 0.5 },
      ],
    },
    grandchild: {
      objective: [
        { use: 'hard', weight: 0.5 },
        { use: 'logit', weight: 0.5 },
      ],
      teacher: 'child',
    },
  },
  seeds: [0, 1, 2, 3, 4, 5],
};

/** @param {number} dim */
function small(dim) {
  return {
    model: { use: 'transformer', options: { dim, depth: 1 } },
    optimizer: { use: 'adamw', options: { learningRate: 0.003 } },
  };
}

/** Writes a plan beside the studies. @param {string} home @param {object} plan */
export function writePlan(home, plan) {
  const file = join(home, 'plan.json');
  writeFileSync(file, JSON.stringify(plan));
  return file;
}

/** @typedef {{ readonly child: import('node:child_process').ChildProcess, log: string }} Started */

/** Starts the command line; `log` collects what it says. @param {readonly string[]} args @returns {Started} */
export function startGrok(args) {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: root, // the packages of the workspace are found from here
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const started = { child, log: '' };
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part) => {
      started.log += part;
    });
  return started;
}

/** Waits for a process of `startGrok`, which must end with code 0. @param {Started} grok */
export async function finished(grok) {
  if (grok.child.exitCode === null && grok.child.signalCode === null)
    await once(grok.child, 'exit');
  if (grok.child.exitCode !== 0)
    throw new Error(
      `grok ended with ${grok.child.exitCode ?? grok.child.signalCode}:\n${grok.log}`,
    );
}

/** Ends a process and waits for it. @param {Started} grok @param {NodeJS.Signals} signal */
export async function end({ child }, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

/** The table of a study without its times. @param {string} folder */
export function table(folder) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [cli, 'study', 'table', folder, '--markdown', '--no-times', '--quiet'],
    { cwd: root, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`study table: ${stderr}`);
  return stdout;
}

/** How many runs of a study its journal says are finished. @param {string} folder */
export function countFinished(folder) {
  const file = join(folder, 'journal.jsonl');
  if (!existsSync(file)) return 0;
  return readFileSync(file, 'utf8').split('"status":"finished"').length - 1;
}

/** Waits until so many runs are finished. @param {string} folder @param {number} count @param {Started} grok */
export async function untilFinished(folder, count, grok) {
  while (countFinished(folder) < count) {
    if (grok.child.exitCode !== null)
      throw new Error(`the study ended with ${grok.child.exitCode}:\n${grok.log}`);
    await wait(100);
  }
}
