/**
 * Tests `@grok/store-s3` on moto's server, in a virtual environment of its own: the suite of stores, and eight
 * processes that fight for a lease, 300 rounds. moto checks a condition and writes in one request, and here
 * takes one request at a time, so conditions hold. `npm run test:s3`
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from './engines/redis.mjs';
import { root } from './engines/study.mjs';

const PROCESSES = 8;
const ROUNDS = 300;
const home = mkdtempSync(join(tmpdir(), 'grok-s3-'));
const python = process.env.GROK_MOTO_PYTHON ?? install();
const port = await freePort();
const endpoint = `http://127.0.0.1:${port}`;
const server = spawn(
  python,
  [
    '-c',
    `from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
app = DomainDispatcherApplication(create_backend_app)
run_simple("127.0.0.1", ${port}, app, threaded=False)`,
  ],
  { stdio: 'ignore', cwd: home },
);
const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
const env = { ...process.env, ...keys, GROK_S3: endpoint };
try {
  await ready();
  await fetch(`${endpoint}/grok`, { method: 'PUT' });
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', 'node', 'tests/store-s3.test.ts'],
    { cwd: root, stdio: 'inherit', env },
  );
  if (status !== 0) throw new Error('the suite failed');
  await fight();
  console.log('s3: passed');
} finally {
  server.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
}

/** A virtual environment with moto. */
function install() {
  const python3 = spawnSync('python3', ['-m', 'venv', home], { stdio: 'inherit' });
  if (python3.status !== 0) {
    console.log('s3: skipped, python3 with venv is not installed');
    process.exit(0);
  }
  const own = join(home, 'bin/python');
  const pip = spawnSync(own, ['-m', 'pip', 'install', '--quiet', 'moto[server]==5.2.0'], {
    stdio: 'inherit',
  });
  if (pip.status !== 0) throw new Error('moto could not be installed');
  return own;
}

async function ready() {
  for (let tries = 0; tries < 300; tries++) {
    if (server.exitCode !== null) throw new Error('moto ended');
    const answer = await fetch(endpoint).catch(() => undefined);
    if (answer !== undefined) return;
    await wait(200);
  }
  throw new Error('moto does not answer');
}

/** Eight processes count up one file, each only while it holds the lease. */
async function fight() {
  const script = join(root, 'scripts/engines/lease-fight.mjs');
  const args = [script, endpoint, 's3://grok/fight', String(ROUNDS)];
  const counts = await Promise.all(
    Array.from({ length: PROCESSES }, async () => {
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
      let out = '';
      child.stdout.on('data', (part) => {
        out += part;
      });
      const [code] = await once(child, 'close');
      if (code !== 0) throw new Error(`a process ended with ${code}`);
      return Number(out);
    }),
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  console.log(`lease: ${counts.join(' + ')} = ${total} of ${ROUNDS} rounds`);
  if (total !== ROUNDS) throw new Error('two processes held the lease at once');
}
