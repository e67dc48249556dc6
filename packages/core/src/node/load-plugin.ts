/**
 * Loads plugins by name or path, in Node. Loading a plugin runs its code; only plugins that were
 * named are loaded. Packages are resolved from the working folder upwards, then from grok's own
 * folder.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import module from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { InputError } from '../contracts/errors.js';
import type { Plugin } from '../contracts/types.js';
import { checkPlugin } from '../plugins/plugin.js';
import { withTimeout } from '../plugins/timeout.js';

/** Milliseconds that importing a plugin may take, including its top-level await. */
const LOADING = 60_000;

/** A plugin with its file, and with its package if it has one. */
export interface LoadedPlugin {
  readonly plugin: Plugin;
  readonly file: string;
  readonly package?: { readonly name: string; readonly version: string };
}

/**
 * Imports a plugin by the name of an installed package (`pkg`, `@org/pkg/sub`), or by the path of a package
 * folder or file, relative to `cwd`.
 * @throws InputError that names the entry if it is not found, fails to load or is not a plugin.
 */
export async function loadPlugin(
  entry: string,
  cwd: string = process.cwd(),
): Promise<LoadedPlugin> {
  try {
    return await load(locate(entry, cwd));
  } catch (error) {
    throw new InputError(`plugin "${entry}": ${(error as Error).message}`, { cause: error });
  }
}

async function load(file: string): Promise<LoadedPlugin> {
  const imported = import(/* @vite-ignore */ pathToFileURL(file).href).catch((error) => {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new InputError(`${file} fails to load: ${reason}${adviceFor(file, reason)}`, {
      cause: error,
    });
  });
  const loaded: { default?: Exported } = await withTimeout(
    imported,
    LOADING,
    (seconds) =>
      `${file} did not finish loading within ${seconds} s; importing a plugin should do nothing`,
  );
  const plugin = readDefault(loaded.default);
  if (plugin === undefined)
    throw new InputError(
      `${file} has no default export; export a plugin, { name, version, core, components }`,
    );
  checkPlugin(plugin);
  const around = packageAround(dirname(file));
  return around === undefined ? { plugin, file } : { plugin, file, package: around };
}

/** A default export: a plugin, or all exports of a module that was compiled to CommonJS. */
type Exported = Plugin | { readonly __esModule: true; readonly default?: Plugin };

function readDefault(exported: Exported | undefined): Plugin | undefined {
  return exported && '__esModule' in exported ? exported.default : exported;
}

/** Advice for common reasons why a module does not load. */
function adviceFor(file: string, reason: string): string {
  if (/Unexpected token 'export'|outside a module/.test(reason))
    return file.endsWith('.cjs')
      ? '; a .cjs file is CommonJS: rename it to .mjs, or use module.exports'
      : `; it is an ES module in a CommonJS package: set "type": "module" in the package.json of ${dirname(file)} or a parent folder, or rename the file to .mjs`;
  if (/(require|module|exports) is not defined/.test(reason))
    return '; it is loaded as an ES module: use import and export default, or rename the file to .cjs';
  if (/\(a peer dependency\) but it isn't provided/.test(reason))
    return '; with Yarn, your package.json must list what a plugin imports: yarn add @grok/core @grok/tfjs';
  if (/Unknown file extension ".[cm]?tsx?"/.test(reason))
    return '; this version of Node does not run TypeScript: compile the plugin and load the result';
  return '';
}

function locate(entry: string, cwd: string): string {
  const path = entry.startsWith('file:') ? fileURLToPath(entry) : resolve(cwd, entry);
  const isPath = /^(\.{1,2}([\\/]|$)|file:)/.test(entry) || isAbsolute(entry);
  const [, name, sub] = (!isPath && /^((?:@[^/]+\/)?[^/]+)(?:\/(.+))?$/.exec(entry)) || [];
  const folder = name === undefined ? undefined : installed(name, cwd);
  if (folder !== undefined) {
    const file = findEntry(folder, sub === undefined ? '.' : `./${sub}`);
    if (file !== undefined) return file;
    throw new InputError(`${folder} does not have that entry; build or reinstall ${name}`);
  }
  if (!existsSync(path))
    throw new InputError(
      isPath
        ? `no file or folder ${path}; give a path or the name of an installed package`
        : `no such package in ${cwd} or above, and no such path; install it or give its path`,
    );
  if (statSync(path).isFile()) return path;
  const file = findEntry(path, '.');
  if (file !== undefined) return file;
  throw new InputError(
    `${path} has no entry (package.json exports or main, or index.js); build it first`,
  );
}

/** Yarn's Plug'n'Play API, needed because its packages are in no `node_modules`. */
interface PlugAndPlay {
  /** The folder of a package. @throws Error when the issuer does not depend on it. */
  resolveToUnqualified(name: string, issuer: string): string | null;
}

function installedByYarn(name: string, cwd: string): string | undefined {
  if (!('findPnpApi' in module) || typeof module.findPnpApi !== 'function') return undefined;
  const pnp: PlugAndPlay | null = module.findPnpApi(join(cwd, '/'));
  try {
    return pnp?.resolveToUnqualified(name, join(cwd, '/')) ?? undefined;
  } catch {
    return undefined; // that folder does not depend on it
  }
}

/** The folder of a package: from Yarn, then from `cwd` upwards, then from this file upwards. */
function installed(name: string, cwd: string): string | undefined {
  const byYarn = installedByYarn(name, cwd);
  if (byYarn !== undefined) return byYarn;
  for (const start of [cwd, dirname(fileURLToPath(import.meta.url))])
    for (let at = resolve(start); ; at = dirname(at)) {
      const folder = join(at, 'node_modules', name);
      if (existsSync(folder)) return folder;
      if (at === dirname(at)) break;
    }
  return undefined;
}

/** The file of a subpath by the package's `exports` (or `main`, or `index.js`), if it exists. */
function findEntry(folder: string, sub: string): string | undefined {
  const manifest = readPackage(folder);
  const exports = manifest?.exports;
  let target: string | undefined;
  if (exports !== undefined && exports !== null) {
    const bySub =
      typeof exports === 'object' && Object.keys(exports).some((key) => key.startsWith('.'));
    target = choose(
      bySub ? (exports as Record<string, unknown>)[sub] : sub === '.' ? exports : null,
    );
  } else target = sub === '.' ? String(manifest?.main ?? 'index.js') : sub;
  if (target === undefined) return undefined;
  const file = join(folder, target);
  return existsSync(file) && statSync(file).isFile() ? file : undefined;
}

/** The first match of Node's conditions for `import`, in the package's own order. */
function choose(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (Array.isArray(target)) return target.map(choose).find((item) => item !== undefined);
  if (typeof target !== 'object' || target === null) return undefined;
  for (const [condition, inner] of Object.entries(target))
    if (['node', 'import', 'module-sync', 'default'].includes(condition)) {
      const found = choose(inner);
      if (found !== undefined) return found;
    }
  return undefined;
}

function packageAround(folder: string): { name: string; version: string } | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const { name, version } = readPackage(at) ?? {};
    if (typeof name === 'string')
      return { name, version: typeof version === 'string' ? version : '0.0.0' };
    if (at === dirname(at)) return undefined;
  }
}

function readPackage(folder: string): Record<string, unknown> | undefined {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InputError(`${file}: must be JSON (${(error as Error).message}); fix it`);
  }
}
