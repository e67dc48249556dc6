/** A package registry on loopback, in its own folder; it serves this project's packages, and others from the public registry. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { root } from '../release/packages.mjs';

/** Scopes that are published to and resolved from the local registry only. */
export const SCOPES = ['@grok', '@third'];

/** Starts a registry. @param {string} folder @returns {Promise<{ url: string, env: NodeJS.ProcessEnv, stop(): void }>} */
export async function startRegistry(folder) {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const packages = SCOPES.map(
    (scope) => `  '${scope}/*': { access: $all, publish: $anonymous, unpublish: $anonymous }\n`,
  );
  writeFileSync(
    join(folder, 'config.yaml'),
    `storage: ./storage
auth: { htpasswd: { file: ./htpasswd, max_users: -1 } }
uplinks: {}
packages:
${packages.join('')}  '**': { access: $all }
middlewares: {}
web: { enable: false }
max_body_size: 50mb
log: { type: stdout, format: pretty, level: warn }
`,
  );
  const npmrc = [
    ...SCOPES.map((scope) => `${scope}:registry=${url}`),
    `//127.0.0.1:${port}/:_authToken=none`,
    'fund=false',
    'audit=false',
    'update-notifier=false',
  ];
  writeFileSync(join(folder, 'npmrc'), `${npmrc.join('\n')}\n`);
  const bin = createRequire(join(root, '_')).resolve('verdaccio/bin/verdaccio');
  const args = [bin, '--config', join(folder, 'config.yaml'), '--listen', `127.0.0.1:${port}`];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = new Promise((_, reject) => {
    server.once('exit', (code) => reject(new Error(`verdaccio stopped (${code})`)));
    server.once('error', reject);
  });
  await Promise.race([gone, answers(`${url}-/ping`)]);
  gone.catch(() => {});
  const env = {
    ...process.env,
    npm_config_userconfig: join(folder, 'npmrc'),
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  };
  return { url, env, stop: () => void server.kill() };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Waits until an address answers. @param {string} url */
async function answers(url) {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not answer within a minute`);
}
