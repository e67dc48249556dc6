/** The published packages: where they are, how large they are, how they are packed. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from '../build.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * @typedef {{ name: string, version: string, private?: boolean, license?: string, keywords?: string[],
 *   dependencies?: Record<string, string>, peerDependencies?: Record<string, string>,
 *   peerDependenciesMeta?: Record<string, { optional?: boolean }>,
 *   exports?: unknown, sideEffects?: unknown, repository?: unknown, publishConfig?: { registry?: string, provenance?: boolean } }} Manifest
 * @typedef {{ folder: string, manifest: Manifest }} Package
 */

/** @param {string} folder @returns {Manifest} */
export const manifestOf = (folder) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Every package under `packages` and `apps` that is not private, by name. @returns {Package[]} */
export function publicPackages(base = root) {
  return ['packages', 'apps']
    .flatMap((group) => readdirSync(join(base, group)).map((name) => join(base, group, name)))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: manifestOf(folder) }))
    .filter(({ manifest }) => manifest.private !== true)
    .sort((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1));
}

/** File name of a tarball: `@grok/core` 0.1.0 → `grok-core-0.1.0.tgz`. @param {Manifest} manifest */
export const tarballName = ({ name, version }) =>
  `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`;

/**
 * Packs all public packages into a folder, as pnpm would publish them, from the build, since `dist`
 * is a link and links are not packed. @param {string} into
 */
export function packAll(into) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const filters = publicPackages().flatMap(({ manifest }) => ['--filter', manifest.name]);
  const args = ['--yes', '--ignore-scripts', packageManager, '-r', ...filters];
  run('npx', [...args, 'pack', '--pack-destination', into], { cwd: build() });
}

/**
 * Runs a program and returns its output. @throws with its output when it fails.
 * @param {string} command @param {string[]} args @param
 * {import('node:child_process').SpawnSyncOptions} [options]
 */
export function run(command, args, options = {}) {
  const win = process.platform === 'win32';
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', shell: win, ...options });
  if (result.error) throw result.error;
  const said = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed (${result.status}):\n${said}`);
  return String(result.stdout ?? '');
}

/**
 * Bytes on disk of a package with all dependencies, including required peers; for this project's
 * packages, only published files count.
 * @param {string} folder
 */
export function installBytes(folder) {
  const seen = new Set();
  /** @param {string} at @returns {number} */
  const visit = (at) => {
    const real = realpathSync(at);
    if (seen.has(real)) return 0;
    seen.add(real);
    const {
      dependencies = {},
      peerDependencies = {},
      peerDependenciesMeta = {},
    } = manifestOf(real);
    const required = Object.keys(peerDependencies).filter(
      (n) => !peerDependenciesMeta[n]?.optional,
    );
    const below = [...Object.keys(dependencies), ...required]
      .map((name) => findPackage(name, real))
      .reduce((sum, dependency) => sum + (dependency === undefined ? 0 : visit(dependency)), 0);
    return sizeOf(real) + below;
  };
  return visit(folder);
}

/** The folder of a dependency, as Node resolves it. @param {string} name @param {string} from */
function findPackage(name, from) {
  for (let at = from; ; at = dirname(at)) {
    const found = join(at, 'node_modules', name);
    if (existsSync(found)) return found;
    if (at === dirname(at)) return undefined;
  }
}

/** @param {string} folder @returns {number} */
function sizeOf(folder) {
  const ours = realpathSync(folder).startsWith(root) && !folder.includes('node_modules');
  const texts = ['package.json', 'README.md', 'LICENSE', 'THIRD_PARTY_LICENSES'];
  const shipped = new Set(['dist', 'presets', 'python', 'templates', ...texts]);
  /** @param {string} at @returns {number} */
  const walk = (at) =>
    readdirSync(at).reduce((sum, name) => {
      if (name === 'node_modules' || (ours && at === folder && !shipped.has(name))) return sum;
      const path = join(at, name);
      const stats = ours ? statSync(path) : lstatSync(path); // this project's `dist` is a link
      return sum + (stats.isDirectory() ? walk(path) : stats.size);
    }, 0);
  return walk(folder);
}
