/**
 * Builds the packages and the command line if something has changed. A build is a copy of the
 * workspace in `.build/ID` (ID: hash of its sources), and `dist` of every package is a link into
 * `.build/current`, so renaming that one link replaces all packages at once. Node resolves links
 * when it loads a module, so a process keeps the build that it started with, whatever is built
 * meanwhile.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKSPACE = fileURLToPath(new URL('..', import.meta.url));
const TOP = [
  ...['LICENSE', 'package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'],
  ...['tsconfig.base.json', 'tsdown.bundled.ts', 'tsdown.config.ts'],
];
/** Parts of a package that do not affect the build. */
const LEFT_OUT = new Set(['node_modules', 'dist', '.tsc', 'test']);
/** How long a replaced build is kept for processes that still run from it. */
const KEPT_MS = 14 * 24 * 3600 * 1000;

/**
 * Points the links of all packages to a build of the current sources.
 * @param {string} [root] the workspace
 * @param {(folder: string) => void} [bundle] fills `dist` of every package in a copy of the
 * workspace
 * @returns {string} folder of the build
 */
export function build(root = WORKSPACE, bundle = tsdown) {
  const builds = join(root, '.build');
  const packages = packagesOf(root);
  const files = [...TOP, ...packages.flatMap((name) => filesBelow(root, name))].sort();
  const stamp = join(builds, 'stamp');
  const seen = fingerprint(root, files);
  const [print, known] = fs.existsSync(stamp) ? fs.readFileSync(stamp, 'utf8').split(' ') : [];
  const id = print === seen && known ? known : hashOf(root, files);
  const folder = join(builds, id);
  if (!fs.existsSync(folder)) make(root, packages, folder, bundle);
  if (point(join(builds, 'current'), folder)) sweep(builds, folder);
  for (const name of packages)
    point(join(root, name, 'dist'), join(builds, 'current', name, 'dist'));
  if (print !== seen) replaceFile(stamp, `${seen} ${id}`);
  return folder;
}

class BuildFailure extends Error {}

/** As `build`, but a failed bundle ends this process with one line. @returns {string} folder of the build */
export function buildOrExit() {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    console.error(error.message);
    return process.exit(1);
  }
}

/** @param {string} root */
function packagesOf(root) {
  return fs
    .readdirSync(join(root, 'packages'))
    .map((name) => join('packages', name))
    .concat(join('apps', 'cli'))
    .filter((folder) => fs.existsSync(join(root, folder, 'package.json')));
}

/** @param {string} root @param {string} folder @returns {string[]} */
function filesBelow(root, folder, leftOut = LEFT_OUT) {
  return fs.readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (leftOut.has(entry.name)) return [];
    return entry.isDirectory() ? filesBelow(root, path, new Set()) : [path];
  });
}

/** Shows without reading any file that none has changed. @param {string} root @param {string[]} files */
function fingerprint(root, files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs, ctimeMs } = fs.lstatSync(join(root, file));
    hash.update(`${file}\0${size}\0${mtimeMs}\0${ctimeMs}\n`);
  }
  return hash.digest('hex');
}

/** @param {string} root @param {string[]} files */
function hashOf(root, files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = fs.readFileSync(join(root, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * Copies the workspace, bundles the copy, and renames it when it is complete.
 * @param {string} root @param {string[]} packages @param {string} folder
 * @param {(folder: string) => void} bundle
 */
function make(root, packages, folder, bundle) {
  const draft = `${folder}.${process.pid}`;
  fs.rmSync(draft, { recursive: true, force: true });
  for (const file of [...TOP, ...packages.flatMap((name) => filesBelow(root, name))]) {
    fs.mkdirSync(dirname(join(draft, file)), { recursive: true });
    fs.copyFileSync(join(root, file), join(draft, file));
  }
  // pnpm's links are relative, so links between packages stay inside the copy.
  for (const name of packages)
    if (fs.existsSync(join(root, name, 'node_modules')))
      fs.cpSync(join(root, name, 'node_modules'), join(draft, name, 'node_modules'), {
        recursive: true,
        verbatimSymlinks: true,
      });
  point(join(draft, 'node_modules'), join(root, 'node_modules'));
  try {
    bundle(draft);
    fs.renameSync(draft, folder);
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    if (!fs.existsSync(folder)) throw error; // otherwise another process created it first
  }
}

/** @param {string} folder */
function tsdown(folder) {
  const script = join(folder, 'node_modules/tsdown/dist/run.mjs');
  const { status, error } = spawnSync(process.execPath, [script, '--log-level', 'warn'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (error) throw error;
  // tsdown has already printed the reason.
  if (status !== 0) throw new BuildFailure(`build: tsdown ended with ${status}`);
}

/**
 * Makes a path a link to a folder, atomically if it already is a link; true if it changed. @param
 * {string} path @param {string} folder
 */
function point(path, folder) {
  const windows = process.platform === 'win32';
  const target = windows ? folder : relative(dirname(path), folder);
  const there = fs.lstatSync(path, { throwIfNoEntry: false });
  if (there?.isSymbolicLink()) {
    const to = fs.readlinkSync(path);
    if (resolve(dirname(path), to) === folder) return false;
  }
  const draft = `${path}.${process.pid}`;
  fs.symlinkSync(target, draft, windows ? 'junction' : undefined);
  // A folder of an earlier build system, or a junction: neither can be replaced by renaming.
  if (there && (windows || !there.isSymbolicLink())) fs.rmSync(path, { recursive: true });
  fs.renameSync(draft, path);
  return true;
}

/** @param {string} path @param {string} text */
function replaceFile(path, text) {
  fs.writeFileSync(`${path}.${process.pid}`, text);
  fs.renameSync(`${path}.${process.pid}`, path);
}

/**
 * Removes old builds; a build's time is when it was last used as the current one. @param {string}
 * builds @param {string} folder
 */
function sweep(builds, folder) {
  const now = Date.now();
  for (const name of fs.readdirSync(builds).filter((entry) => /^[0-9a-f]{16}/.test(entry))) {
    const path = join(builds, name);
    const { mtimeMs } = fs.statSync(path);
    if (basename(folder) === name) fs.utimesSync(path, now / 1000, now / 1000);
    else if (now - mtimeMs > KEPT_MS) fs.rmSync(path, { recursive: true });
  }
}

if (fs.realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  await import('./setup.mjs');
  buildOrExit();
}
