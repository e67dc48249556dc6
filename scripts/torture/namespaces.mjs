/** Two processes in their own PID namespaces, like two containers on one volume: one trains, the other is refused. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli, faultOfProcess, runScript } from './processes.mjs';

const before = ['unshare', '--fork', '--pid', '--mount-proc'];
const RUN = [
  ...['train', '--op', 'div', '--p', '7', '--dim', '8', '--depth', '1', '--heads', '1'],
  ...['--batch', '8', '--epochs', '60', '--seed', '7'],
  ...['--backend', 'wasm', '--threads', '1', '--quiet', '--out'],
];

/**
 * @param {{ rounds: number }} options
 * @returns {Promise<{ rounds: number, findings: readonly string[] }>} no rounds without namespaces
 */
export async function shareFolder({ rounds }) {
  const [command = '', ...args] = [...before, 'true'];
  if (spawnSync(command, args).status !== 0) return { rounds: 0, findings: [] };
  const home = mkdtempSync(join(tmpdir(), 'grok-namespaces-'));
  const findings = [];
  for (let round = 0; round < rounds; round++) {
    const folder = join(home, String(round));
    const both = await Promise.all([0, 1].map(() => runScript(cli, [...RUN, folder], { before })));
    const faults = both.flatMap((ended) => faultOfProcess(ended, [0, 1]) ?? []);
    const codes = both
      .map(({ code }) => code)
      .sort()
      .join();
    if (codes !== '0,1') faults.push(`ended with ${codes}, one must be refused`);
    const epochs = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).epoch);
    if (epochs.some((epoch, i) => epoch !== i + 1) || epochs.length !== 60)
      faults.push(`rows of the epochs ${epochs.slice(0, 40).join()}`);
    findings.push(...faults.map((fault) => `round ${round}: ${fault}`));
  }
  rmSync(home, { recursive: true, force: true });
  return { rounds, findings };
}
