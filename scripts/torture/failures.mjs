/** File operations that fail or do half: the run reports it in a line or tolerates it, and then resumes to the same bits. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atOnce, cli, faultOfProcess, readLog, runScript } from './processes.mjs';
import { random } from './random.mjs';

const CODES = ['EIO', 'ENOSPC', 'EROFS', 'EACCES'];
const RUN = [
  ...['train', '--op', 'div', '--p', '5', '--dim', '4', '--depth', '1', '--heads', '1'],
  ...['--batch', '8', '--epochs', '4', '--seed', '7', '--checkpoint-every', '2'],
  ...['--backend', 'wasm', '--threads', '1', '--quiet', '--out'],
];
const shortWrites = fileURLToPath(new URL('short-writes.c', import.meta.url));

/**
 * @param {{ failures: number, seed: number }} options
 * @returns {Promise<{ failures: number, calls: number, short: string, findings: readonly string[] }>}
 */
export async function failWrites({ failures, seed }) {
  const home = mkdtempSync(join(tmpdir(), 'grok-failures-'));
  try {
    const whole = join(home, 'whole');
    const counted = join(home, 'count');
    // A call number that is never reached counts the calls that could fail.
    const env = { root: whole, how: 'EIO 0', log: counted };
    const ended = await runScript(cli, [...RUN, whole], env);
    if (ended.code !== 0) throw new Error(`the run that is left alone failed: ${ended.err}`);
    const { calls } = readLog(counted);
    const expected = bitsOf(whole);
    const draw = random(seed);
    const jobs = Array.from({ length: failures }, (_, i) => {
      const at = 1 + Math.floor(((i + draw.next()) / failures) * calls);
      const how = `${draw.pick(CODES)}${draw.pick(['', '+'])} ${at}`;
      return () => failOne(join(home, `run-${i}`), how, expected);
    });
    const findings = (await atOnce(jobs)).flatMap((found) => found ?? []);
    const short = await writeShort(home, expected);
    return { failures, calls, short: short ?? 'borne', findings };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** @param {string} folder @param {string} how @param {string} expected */
async function failOne(folder, how, expected) {
  const ended = await runScript(cli, [...RUN, folder], { root: folder, how });
  const fault = faultOfProcess(ended, [0, 1, 2]);
  if (fault) return `${how}: ${fault}`;
  const [code = ''] = how.split(/[+ ]/);
  if (ended.code !== 0 && !ended.err.includes(code))
    return `${how}: does not name the failure: ${ended.err.trim().slice(-300)}`;
  const again = await runScript(cli, [...RUN, folder]);
  return (
    faultOfProcess(again, [0]) ??
    (bitsOf(folder) === expected ? undefined : `${how}: other bits after it`)
  );
}

/** Limits each write to half of the requested bytes, if there is a C compiler. @param {string} home @param {string} expected */
async function writeShort(home, expected) {
  const library = join(home, 'short-writes.so');
  const compiled = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, shortWrites, '-ldl']);
  if (process.platform !== 'linux' || compiled.status !== 0 || !existsSync(library))
    return 'left out: no C compiler';
  const folder = join(home, 'short');
  const env = { LD_PRELOAD: library, GROK_TORTURE_ROOT: folder };
  const ended = await runScript(cli, [...RUN, folder], { env });
  const fault = faultOfProcess(ended, [0]);
  if (fault) throw new Error(`short writes: ${fault}`);
  if (bitsOf(folder) !== expected) throw new Error('short writes: other bits');
  return undefined;
}

/** @param {string} folder */
const bitsOf = (folder) =>
  JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')).paramsSha256;
