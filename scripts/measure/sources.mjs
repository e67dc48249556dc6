/** The workspace's TypeScript, parsed once: source files by package, and all tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseSync, visitorKeys } from 'oxc-parser';
import { manifestOf, root } from '../release/packages.mjs';

/**
 * @typedef {{ type: string, start: number, end: number, [key: string]: any }} Node
 * @typedef {{ path: string, text: string, program: Node, comments: { value: string, start: number, end: number }[] }} Source
 *   `path`: seen from the root of the repository.
 * @typedef {{ name: string, folder: string, entries: Record<string, string>, sources: Source[] }} Package
 *   `entries`: files by subpath, such as `{ '.': 'packages/core/src/index.ts' }`.
 */

/** Every package under `packages` and `apps` that has source, by name. @returns {Package[]} */
export function readPackages(base = root) {
  return ['packages', 'apps']
    .flatMap((group) => readdirSync(join(base, group)).map((name) => join(base, group, name)))
    .filter((folder) => existsSync(join(folder, 'src')))
    .map((folder) => {
      const manifest = manifestOf(folder);
      return {
        name: manifest.name,
        folder: toPath(base, folder),
        entries: readEntries(base, folder, manifest),
        sources: readSources(base, join(folder, 'src')),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** All tests: those of packages, apps and examples, and those at the root. @returns {Source[]} */
export function readTests(base = root) {
  const beside = ['packages', 'apps', 'examples'].flatMap((group) =>
    readdirSync(join(base, group)).map((name) => join(base, group, name, 'test')),
  );
  return [...beside, join(base, 'tests')]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readSources(base, folder));
}

/** Calls `visit` on every node, parents first. @param {Node} node @param {(node: Node, parent: Node | undefined) => void} visit @param {Node} [parent] */
export function walk(node, visit, parent) {
  visit(node, parent);
  for (const key of visitorKeys[node.type] ?? []) {
    const child = node[key];
    for (const each of Array.isArray(child) ? child : [child])
      if (each !== null && each !== undefined) walk(each, visit, node);
  }
}

/** Parses one file. @param {string} path @param {string} text @returns {Source} */
export function parse(path, text) {
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  return { path, text, program, comments };
}

/** @param {string} base @param {string} folder @returns {Source[]} */
function readSources(base, folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/(^|[\\/])(\.tsc|node_modules)[\\/]/.test(name))
    .sort()
    .map((name) => {
      const file = join(folder, name);
      return parse(toPath(base, file), readFileSync(file, 'utf8'));
    });
}

/** @param {string} base @param {string} folder @param {{ exports?: unknown }} manifest @returns {Record<string, string>} */
function readEntries(base, folder, { exports }) {
  const entries = Object.entries(exports ?? {}).flatMap(([subpath, target]) => {
    const file = findSource(folder, target);
    return file === undefined ? [] : [[subpath, toPath(base, file)]];
  });
  const index = join(folder, 'src/index.ts');
  if (entries.length === 0 && existsSync(index)) return { '.': toPath(base, index) };
  return Object.fromEntries(entries);
}

/**
 * The source of an entry: from its condition, or the source of the built file. @param {string}
 * folder @param {any} target @returns {string | undefined}
 */
function findSource(folder, target) {
  const named = target?.['@grok/source'] ?? target?.default;
  if (typeof named !== 'string') return undefined;
  const file = join(folder, named.replace(/^\.\/dist\/(.*)\.js$/, './src/$1.ts'));
  return /\.tsx?$/.test(file) && existsSync(file) ? file : undefined;
}

/** @param {string} base @param {string} file */
const toPath = (base, file) => relative(base, file).replaceAll('\\', '/');
