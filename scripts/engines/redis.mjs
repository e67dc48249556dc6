/** A Redis of its own on loopback, with an append-only file, in a temporary folder. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Why no Redis can be started here; undefined where it can. */
export function whyNoRedis() {
  const found = spawnSync('redis-server', ['--version']);
  return found.error === undefined
    ? undefined
    : 'redis-server is not installed (Debian: apt-get install redis-server)';
}

/** A free port of loopback. @returns {Promise<number>} */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Starts Redis; `stop` may be followed by another start on the same folder and port. @param {string} dir @param {number} port */
export async function startRedis(dir, port) {
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir];
  const child = spawn('redis-server', [...flags, '--appendonly', 'yes', '--save', ''], {
    stdio: 'ignore',
  });
  const url = `redis://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    const { stdout } = spawnSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8' });
    if (stdout.trim() === 'PONG') break;
    if (tries > 100 || child.exitCode !== null) throw new Error('redis-server did not start');
    await wait(100);
  }
  return {
    url,
    /** @param {'SIGTERM' | 'SIGKILL'} signal */
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}
