/** Runs processes that are meant to fail, and checks for what must never happen. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

export const cli = fileURLToPath(new URL('../../apps/cli/dist/cli.js', import.meta.url));
export const trainer = fileURLToPath(new URL('train.mjs', import.meta.url));
const shim = new URL('shim.mjs', import.meta.url).href;

/** @typedef {{ code: number | null, signal: string | null, out: string, err: string }} Ended */

/** Milliseconds after which a process counts as hung. */
const TIMEOUT_MS = 120_000;

/**
 * Runs a script to its end.
 * @param {string} script @param {readonly string[]} args
 * @param {{ root?: string, how?: string, log?: string, env?: Record<string, string>, cwd?: string,
 *   before?: readonly string[] }} [options] `how`: what the shim does below `root`, in this process
 *   and in those that it starts; `log`: the shim's log file; `before`: a command that starts
 *   this one
 * @returns {Promise<Ended>}
 */
export function runScript(script, args, { root, how, log, env = {}, cwd, before = [] } = {}) {
  const torture = {
    ...(root === undefined ? {} : { GROK_TORTURE_ROOT: root, NODE_OPTIONS: `--import=${shim}` }),
    ...(how === undefined ? {} : { GROK_TORTURE: how }),
    ...(log === undefined ? {} : { GROK_TORTURE_LOG: log }),
  };
  const [command = '', ...rest] = [...before, process.execPath, script, ...args];
  const child = spawn(command, rest, {
    env: { ...process.env, ...torture, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    timeout: TIMEOUT_MS,
    killSignal: 'SIGXCPU',
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part) => {
    out += part;
  });
  child.stderr.on('data', (part) => {
    err += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
}

/** Reads the shim's log: how many processes it killed, and the calls of the one that made the most. @param {string} file */
export function readLog(file) {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const counts = lines.map(Number).filter(Number.isInteger);
  return {
    killed: lines.filter((line) => line === 'killed').length,
    calls: Math.max(0, ...counts),
  };
}

/** The fault in how a process ended, if any. @param {Ended} ended @param {readonly (number | null)[]} codes */
export function faultOfProcess({ code, signal, err }, codes = [0, 1, 2, 130]) {
  const detail = `: ${err.trim().slice(-300)}`;
  if (signal === 'SIGXCPU') return `did not end in ${TIMEOUT_MS / 1000} s${detail}`;
  if (!codes.includes(code)) return `exit code ${code} ${signal ?? ''}${detail}`;
  if (/this is a bug/.test(err)) return `says that it is a bug${detail}`;
  if (/^\s+at .*:\d+/m.test(err)) return `shows a stack${detail}`;
  if (/TypeError|ReferenceError|RangeError/.test(err))
    return `shows an error of the language${detail}`;
  return undefined;
}

/**
 * Runs all jobs, as many at once as there are cores. @template T @param {readonly (() =>
 * Promise<T>)[]} jobs @returns {Promise<T[]>}
 */
export async function atOnce(jobs, most = availableParallelism()) {
  /** @type {T[]} */
  const results = [];
  let next = 0;
  const work = async () => {
    for (let i = next++; i < jobs.length; i = next++) {
      const job = jobs[i];
      if (job) results[i] = await job();
    }
  };
  await Promise.all(Array.from({ length: most }, work));
  return results;
}
