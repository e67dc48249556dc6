/** SIGKILL at calls on files, before them and in the middle of what they write; after it, the same run comes to the same bits. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atOnce, faultOfProcess, runScript, trainer } from './processes.mjs';
import { random } from './random.mjs';

/** How often the process of one run is killed before it may end: the kills after the first meet one that goes on. */
const PER_RUN = 5;

/**
 * @param {{ kills: number, seed: number, log?: (line: string) => void }} options
 * @returns {Promise<{ kills: number, runs: number, calls: number, findings: readonly string[] }>}
 */
export async function killRuns({ kills, seed, log = () => {} }) {
  const home = mkdtempSync(join(tmpdir(), 'grok-kills-'));
  try {
    const whole = join(home, 'whole');
    const counted = join(home, 'count');
    const ended = await runScript(trainer, [whole], { root: whole, how: 'count', count: counted });
    if (ended.code !== 0) throw new Error(`the run that is left alone failed: ${ended.err}`);
    const calls = Number(readFileSync(counted, 'utf8'));
    const expected = resultOf(whole);
    const rounds = Math.ceil(kills / PER_RUN);
    let done = 0;
    const findings = await atOnce(
      Array.from({ length: rounds }, (_, round) => async () => {
        const folder = join(home, `run-${round}`);
        const found = await killOne(folder, { round, rounds, calls, seed, expected });
        rmSync(folder, { recursive: true, force: true });
        if (++done % 25 === 0) log(`${done} of ${rounds} runs`);
        return found;
      }),
    );
    return {
      kills: findings.reduce((sum, found) => sum + found.killed, 0),
      ...{ runs: rounds, calls },
      findings: findings.flatMap(({ faults }) => faults),
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** @param {string} folder @param {{ round: number, rounds: number, calls: number, seed: number, expected: string }} options */
async function killOne(folder, { round, rounds, calls, seed, expected }) {
  const draw = random(seed * 65_537 + round);
  /** @type {string[]} */
  const faults = [];
  let killed = 0;
  const told = [];
  for (let i = 0; i < PER_RUN; i++) {
    // The first kills pass over all calls in turn; the others are drawn, early ones more often.
    const first = 1 + Math.floor(((round + draw.next()) / rounds) * calls);
    const at = i === 0 ? first : 1 + Math.floor(draw.next() ** 2 * calls * 0.7);
    const how = `${draw.next() < 0.3 ? 'torn' : 'kill'} ${at}`;
    told.push(how);
    const ended = await runScript(trainer, [folder], { root: folder, how });
    if (ended.signal === 'SIGKILL') killed++;
    else {
      const fault = faultOfProcess(ended, [0]);
      if (fault) faults.push(`after ${told.join(', ')}: ${fault}`);
    }
  }
  const last = await runScript(trainer, [folder]);
  const fault =
    faultOfProcess(last, [0]) ?? (resultOf(folder) === expected ? leftIn(folder) : 'other bits');
  if (fault) faults.push(`seed ${seed}, run ${round}, ${told.join(', ')}: ${fault}`);
  return { killed, faults };
}

/** What must be the same: parameters, and all rows but for times. @param {string} folder */
function resultOf(folder) {
  const { paramsSha256, epoch, step, status } = JSON.parse(
    readFileSync(join(folder, 'manifest.json'), 'utf8'),
  );
  const rows = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => ({ ...JSON.parse(line), time: 0 }));
  return JSON.stringify({ paramsSha256, epoch, step, status, rows });
}

/** What a run that ended leaves behind beside its files. @param {string} folder */
function leftIn(folder) {
  const left = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => /(^|[/\\])\.(tmp|lease|lock)/.test(path));
  return left.length === 0 ? undefined : `leaves ${left.join(', ')}`;
}
