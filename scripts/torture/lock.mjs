/**
 * Processes that race for a folder left by a killed one: always one takes its lease, and never
 * two. Some are killed while they take it; some may live in their own PID namespaces, like
 * containers.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { random } from './random.mjs';

const core = new URL('../../packages/core/dist/node/index.js', import.meta.url);
const worker = fileURLToPath(new URL('lock-worker.mjs', import.meta.url));
const unshare = ['unshare', '--fork', '--pid', '--mount-proc', '--kill-child'];

/** True if the packages that the processes load are built. */
export const canLock = existsSync(fileURLToPath(core));
/** True if this user can create PID namespaces. */
export const hasNamespaces = () => spawnSync('unshare', [...unshare.slice(1), 'true']).status === 0;

/**
 * @param {{ rounds: number, seed: number, processes?: number, namespaces?: number,
 *   log?: (line: string) => void }} options `namespaces`: how many processes get their own
 * namespace
 * @returns {Promise<{ rounds: number, granted: number, killed: number, failures: string[] }>}
 */
export async function lock({ rounds, seed, processes = 8, namespaces = 0, log = () => {} }) {
  const draw = random(seed);
  const home = mkdtempSync(join(tmpdir(), 'grok-lock-'));
  const isApart = (/** @type {number} */ i) => i < namespaces;
  const workers = Array.from({ length: processes }, (_, i) => startWorker(isApart(i)));
  const found = { rounds, granted: 0, killed: 0, failures: /** @type {string[]} */ ([]) };
  try {
    await Promise.all(workers.map((each) => each.ready));
    for (let round = 0; round < rounds; round++) {
      const folder = join(home, String(round));
      leaveBehind(folder, draw);
      // The death of a process in another namespace is only noticed when its lease expires.
      const victim = namespaces === 0 && draw.below(10) === 0 ? draw.below(processes) : undefined;
      const answers = await meet(workers, folder, victim, draw.below(12));
      if (victim !== undefined) found.killed++;
      found.granted += answers.filter((answer) => answer === 'granted').length;
      // A victim that was granted the lease before its kill may be followed by a late taker.
      const successors = victim !== undefined && answers[victim] === 'granted' ? 1 : 0;
      const fault = faultOf(answers, successors);
      if (fault !== undefined) found.failures.push(`round ${round}: ${fault}`);
      rmSync(folder, { recursive: true, force: true });
      if (round % 100 === 99) log(`lock: ${round + 1} rounds`);
    }
  } finally {
    for (const each of workers) each.kill();
    rmSync(home, { recursive: true, force: true });
  }
  return found;
}

/**
 * All take the lease of a folder and release it; one of them may be killed meanwhile and restarted.
 * Returns their answers.
 * @param {Worker[]} workers @param {string} folder @param {number | undefined} victim @param
 * {number} delay
 */
async function meet(workers, folder, victim, delay) {
  const answers = workers.map((each) => each.ask(`take\t${folder}`));
  if (victim === undefined) await Promise.all(answers);
  else {
    await wait(delay);
    workers[victim]?.kill();
    const heir = startWorker(false);
    workers[victim] = heir;
    await heir.ready;
    // The killed process may have held it, so it must be available now.
    if (!(await Promise.all(answers)).includes('granted'))
      answers.push(heir.ask(`take\t${folder}`));
  }
  const released = workers.map((each) => each.ask(`release\t${folder}`));
  return Promise.all([...answers, ...released]);
}

/** A worker that finds another one inside reports it as a failure. @param {readonly string[]} answers @param {number} successors */
function faultOf(answers, successors) {
  const granted = answers.filter((answer) => answer === 'granted').length;
  const failed = answers.filter((answer) => answer.startsWith('failed'));
  if (granted >= 1 && granted <= 1 + successors && failed.length === 0) return undefined;
  return `${granted} hold it; ${failed.join('; ')}`;
}

/**
 * What a killed process leaves: nothing, a stale lease, an empty one, one not yet in place. @param
 * {string} folder @param {import('./random.mjs').Random} draw
 */
function leaveBehind(folder, draw) {
  mkdirSync(folder);
  const kind = draw.below(4);
  if (kind === 0) return;
  const lease = join(folder, kind === 3 ? '.lease-work.new-dead' : '.lease-work');
  mkdirSync(lease);
  if (kind === 1) return;
  const file = join(lease, 'dead.json');
  writeFileSync(file, JSON.stringify({ host: hostname(), space: 'gone', pid: 1, ttl: 60 }));
  utimesSync(file, 0, 0);
}

/** @typedef {ReturnType<typeof startWorker>} Worker */

/** @param {boolean} apart in its own PID namespace */
function startWorker(apart) {
  const [command = '', ...args] = [...(apart ? unshare : []), process.execPath, worker, core.href];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {}); // it was killed
  /** @type {((answer: string) => void)[]} */
  const waiting = [];
  const next = () =>
    new Promise((/** @type {(answer: string) => void} */ done) => waiting.push(done));
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  child.on('close', () => {
    for (const done of waiting.splice(0)) done('killed');
  });
  return {
    ready: next(),
    ask(/** @type {string} */ line) {
      const answer = next();
      if (child.exitCode !== null || child.signalCode !== null) waiting.pop()?.('killed');
      else child.stdin.write(`${line}\n`);
      return answer;
    },
    kill: () => child.kill('SIGKILL'),
  };
}
