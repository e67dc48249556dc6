/** SIGKILL before file operations and in the middle of writes; afterwards the same command must reach the same result. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atOnce, faultOfProcess, readLog } from './processes.mjs';
import { random } from './random.mjs';

/** @typedef {import('./targets.mjs').Target} Target */

/** Kills per folder before its command may finish: all but the first hit a resumed command. */
const PER_FOLDER = 5;
/** Attempts for each kill that is requested: one that comes to the end first kills nothing, and is repeated. */
const ATTEMPTS = 6;

/**
 * Kills at least as often as requested.
 * @param {{ kills: number, seed: number, targets: readonly Target[], log?: (line: string) => void }} options
 * @returns {Promise<{ kills: number, summary: string, findings: readonly string[] }>}
 */
export async function kill({ kills, seed, targets, log = () => {} }) {
  const home = mkdtempSync(join(tmpdir(), 'grok-kills-'));
  const shares = targets.reduce((sum, { share }) => sum + share, 0);
  try {
    const summary = [];
    const findings = [];
    let all = 0;
    for (const [i, target] of targets.entries()) {
      const requested = Math.ceil((kills * target.share) / shares);
      const done = await killTarget(target, requested, seed + 7919 * i, join(home, String(i)));
      log(`${target.name}: ${done.killed} kills`);
      all += done.killed;
      summary.push(`${target.name} ${done.killed} (${done.calls} calls)`);
      findings.push(...done.findings);
    }
    return { kills: all, summary: summary.join(', '), findings };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** @param {Target} target @param {number} kills @param {number} seed @param {string} home */
async function killTarget(target, kills, seed, home) {
  const whole = join(home, 'whole');
  target.begin(whole);
  const counted = join(home, 'count');
  const torture = { root: whole, how: 'count', log: counted };
  const ended = await target.run(whole, torture);
  if (ended.code !== 0) throw new Error(`${target.name}, left alone, failed: ${ended.err}`);
  const { calls } = readLog(counted);
  const expected = target.result(whole);
  const rounds = Math.ceil(kills / PER_FOLDER);
  const done = await atOnce(
    Array.from({ length: rounds }, (_, round) => async () => {
      const folder = join(home, `folder-${round}`);
      const requested = Math.min(PER_FOLDER, kills - round * PER_FOLDER);
      const found = await killOne(target, folder, {
        round,
        rounds,
        requested,
        calls,
        seed,
        expected,
      });
      rmSync(folder, { recursive: true, force: true });
      return found;
    }),
  );
  return {
    calls,
    killed: done.reduce((sum, { killed }) => sum + killed, 0),
    findings: done.flatMap(({ faults }) => faults),
  };
}

/**
 * @param {Target} target @param {string} folder
 * @param {{ round: number, rounds: number, requested: number, calls: number, seed: number, expected: string }} options
 */
async function killOne(target, folder, { round, rounds, requested, calls, seed, expected }) {
  const draw = random(seed * 65_537 + round);
  const log = `${folder}.log`;
  /** @type {string[]} */
  const faults = [];
  /** @type {string[]} */
  let events = [];
  let killed = 0;
  const fail = (/** @type {string} */ fault) =>
    faults.push(`seed ${seed}, ${target.name}, folder ${round}, ${events.join(', ')}: ${fault}`);
  target.begin(folder);
  for (let i = 0; killed < requested && i < ATTEMPTS * PER_FOLDER && faults.length === 0; i++) {
    // The first kills cover all calls in order; the others are random, with more at early calls.
    const share = i === 0 ? (round + draw.next()) / rounds : 0.7 * draw.next() ** 2;
    const how = `${draw.next() < 0.3 ? 'torn' : 'kill'} ${1 + Math.floor(share * calls)}`;
    events.push(how);
    const ended = await target.run(folder, { root: folder, how, log });
    const before = killed;
    killed = readLog(log).killed;
    const goesOn = killed > before || ended.code !== 0;
    const fault = faultAfter(ended) ?? (goesOn ? undefined : differs(target, folder, expected));
    if (fault !== undefined) fail(fault);
    if (goesOn) continue;
    // It finished first, so the next kills get a new folder.
    rmSync(folder, { recursive: true, force: true });
    target.begin(folder);
    events = [];
  }
  const fault = faultAtEnd(target, await target.run(folder), folder, expected);
  if (fault !== undefined) fail(fault);
  rmSync(log, { force: true });
  return { killed, faults };
}

/**
 * A study may lose one of its processes and still finish, or report that a run failed. @param
 * {import('./processes.mjs').Ended} ended
 */
const faultAfter = (ended) =>
  ended.signal === 'SIGKILL' ? undefined : faultOfProcess(ended, [0, 1]);

/** @param {Target} target @param {string} folder @param {string} expected */
function differs(target, folder, expected) {
  try {
    return target.result(folder) === expected ? undefined : 'another result';
  } catch (error) {
    return `its result cannot be read: ${error instanceof Error ? error.message : error}`;
  }
}

/** @param {Target} target @param {import('./processes.mjs').Ended} last @param {string} folder @param {string} expected */
const faultAtEnd = (target, last, folder, expected) =>
  faultOfProcess(last, [0]) ?? differs(target, folder, expected) ?? leftIn(folder);

/**
 * Files left beside a command's own when it has ended; a lease without a stamp may stay until it
 * expires. @param {string} folder
 */
function leftIn(folder) {
  const left = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => /(^|[/\\])\.(tmp|lease|lock)/.test(path))
    .filter((path) => !/\.lease-[^/\\]+\.new-/.test(path) || isWritten(join(folder, path)))
    .filter((path) => !isOfFinishedRun(folder, path));
  return left.length === 0 ? undefined : `leaves ${left.join(', ')}`;
}

/**
 * True for the lease of a study's run that was killed after its last record. The study does not start a
 * finished run again, so nothing removes the lease; its process has ended, so it blocks nobody.
 * @param {string} folder @param {string} path
 */
function isOfFinishedRun(folder, path) {
  const [, run, stamp = ''] = /^([^/\\]+)[/\\]\.lease-work(?:[/\\](.+))?$/.exec(path) ?? [];
  if (run === undefined) return false;
  const { status } = JSON.parse(readFileSync(join(folder, run, 'manifest.json'), 'utf8'));
  const stamps = stamp === '' ? readdirSync(join(folder, path)) : [stamp];
  const lease = join(folder, run, '.lease-work');
  return status === 'finished' && stamps.every((name) => hasEnded(join(lease, name)));
}

/** Whether the process that wrote a lease's stamp has ended. @param {string} file */
function hasEnded(file) {
  try {
    process.kill(JSON.parse(readFileSync(file, 'utf8')).pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** Whether a lease's stamp is complete: a kill may truncate it, like any file. @param {string} path */
function isWritten(path) {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    JSON.parse(readFileSync(path, 'utf8'));
    return true;
  } catch {
    return false;
  }
}
