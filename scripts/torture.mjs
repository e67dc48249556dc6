/**
 * `npm run test:torture` injects failures into runs and files, reproducibly by seed: kills at file
 * operations, operations that fail or write half, two PID namespaces in one folder, processes
 * racing for a lease, and damaged documents and checkpoints, most in this process, some through the
 * command line. Nothing may be lost, nothing may take more than two seconds of its own time, and
 * all errors must be readable. Python's safetensors is compared too, if python3 or GROK_PYTHON has
 * it. Exits with code 1 if anything is found.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { damageForCommands } from './torture/commands.mjs';
import { failWrites } from './torture/failures.mjs';
import { findPython, judgeBySafetensors } from './torture/judge.mjs';
import { kill } from './torture/kills.mjs';
import { documentKinds } from './torture/kinds.mjs';
import { hasNamespaces, lock } from './torture/lock.mjs';
import { shareFolder } from './torture/namespaces.mjs';
import { readDamaged } from './torture/readings.mjs';
import { killTargets } from './torture/targets.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '500' },
    mutations: { type: 'string', default: '50000' },
    judged: { type: 'string', default: '5000' },
    failures: { type: 'string', default: '60' },
    commands: { type: 'string', default: '60' },
    locks: { type: 'string', default: '1000' },
    namespaces: { type: 'string', default: '20' },
  },
});
const count = (/** @type {keyof typeof values} */ key) => {
  const number = Number(values[key]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  console.error(`torture: --${key}: must be an integer ≥ 0, got ${values[key]}`);
  return process.exit(2);
};
const seed = count('seed');

/** @type {readonly [key: keyof typeof values, title: string, part: () => Promise<{ summary: string, findings: readonly string[] }>][]} */
const parts = [
  [
    'mutations',
    'damaged documents and checkpoints',
    async () => {
      const { read, refused, slowest, findings } = await readDamaged({
        mutations: count('mutations'),
        seed,
      });
      return {
        summary: `${read + refused} read, ${refused} refused, the slowest in ${(slowest / 1e6).toFixed(2)} s of CPU`,
        findings: findings.map(({ kind, at, what }) => `seed ${seed}, ${at}: ${kind}: ${what}`),
      };
    },
  ],
  [
    'judged',
    'damaged checkpoints and Python’s safetensors',
    async () => {
      const python = findPython();
      if (python === undefined)
        return { summary: 'left out: no Python that has safetensors (GROK_PYTHON)', findings: [] };
      const kinds = await documentKinds();
      const { bytes } = kinds.find(({ name }) => name === 'any.safetensors') ?? {};
      if (bytes === undefined) throw new Error('there is no checkpoint to damage');
      const requested = { files: count('judged'), seed, bytes, python };
      const { files, sound, findings } = await judgeBySafetensors(requested);
      return { summary: `${files} files, ${sound} of them sound to both`, findings };
    },
  ],
  [
    'kills',
    'kills',
    async () => {
      const home = mkdtempSync(join(tmpdir(), 'grok-targets-'));
      try {
        const targets = await killTargets(home);
        const { kills, summary, findings } = await kill({ kills: count('kills'), seed, targets });
        return { summary: `${kills}: ${summary}`, findings };
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    },
  ],
  [
    'failures',
    'failing and short writes',
    async () => {
      const { failures, calls, short, findings } = await failWrites({
        failures: count('failures'),
        seed,
      });
      return { summary: `${failures} of ${calls} calls failed; short writes ${short}`, findings };
    },
  ],
  [
    'locks',
    'processes that meet at a lease',
    async () => {
      const rounds = count('locks');
      const met = await lock({ rounds, seed });
      const apart = hasNamespaces()
        ? await lock({ rounds: count('namespaces'), seed, processes: 2, namespaces: 2 })
        : { rounds: 0, failures: [] };
      return {
        summary: `${met.rounds} rounds, ${apart.rounds} of two namespaces`,
        findings: [...met.failures, ...apart.failures],
      };
    },
  ],
  [
    'namespaces',
    'two PID namespaces',
    async () => {
      const { rounds, findings } = await shareFolder({ rounds: count('namespaces') });
      return {
        summary: rounds === 0 ? 'left out: no namespaces here' : `${rounds} rounds`,
        findings,
      };
    },
  ],
  [
    'commands',
    'damaged files and the command line',
    async () => {
      const { commands, codes, findings } = await damageForCommands({
        commands: count('commands'),
        seed,
      });
      return { summary: `${commands} commands, exit codes ${JSON.stringify(codes)}`, findings };
    },
  ],
];

let found = 0;
for (const [key, title, part] of parts) {
  if (count(key) === 0) continue;
  const began = performance.now();
  const { summary, findings } = await part();
  found += findings.length;
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    `${title}: ${findings.length === 0 ? summary : `${findings.length} findings; ${summary}`} (${seconds} s)`,
  );
  for (const finding of findings.slice(0, 20)) console.log(`  ${finding.slice(0, 400)}`);
}
console.log(found === 0 ? `seed ${seed}: nothing found` : `seed ${seed}: ${found} findings`);
process.exitCode = found === 0 ? 0 : 1;
