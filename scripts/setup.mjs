/**
 * Installs the workspace with pnpm through npx, if a manifest or the lockfile has changed. Packages
 * that only the documentation site needs are installed with `--site`, since nothing else needs
 * them.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = process.argv.includes('--site');
const stamp = `${root}node_modules/.setup-stamp${site ? '-site' : ''}`;
const manifests = ['packages', 'apps', 'examples']
  .filter((dir) => existsSync(root + dir))
  .flatMap((dir) => readdirSync(root + dir).map((name) => `${dir}/${name}/package.json`))
  .filter((file) => existsSync(root + file))
  .sort();
const hash = createHash('sha256');
for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests])
  hash.update(file).update(readFileSync(root + file));
const want = `${hash.digest('hex')} ${process.platform}-${process.arch}`;
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== want) {
  const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const win = process.platform === 'win32';
  const filter = site ? '@grok/docs' : '!@grok/docs';
  process.stderr.write('Installing dependencies with pnpm; this happens once.\n');
  const { status, error } = spawnSync(
    win ? 'npx.cmd' : 'npx',
    [
      '--yes',
      '--ignore-scripts',
      packageManager,
      'install',
      '--frozen-lockfile',
      // Dependencies of tools warn that they want a newer Node.
      '--loglevel=error',
      '--filter',
      filter,
    ],
    { cwd: root, stdio: ['ignore', 2, 2], shell: win },
  );
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stamp, want);
}
