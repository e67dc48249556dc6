/** Finds which names files export, where each is declared, and which names have two declarations. */
import { dirname, posix } from 'node:path';

/**
 * @typedef {import('./sources.mjs').Source} Source
 * @typedef {import('./sources.mjs').Package} Package
 * @typedef {{ declared: Set<string>, imported: Map<string, { from: string, name: string }>,
 *   exported: Map<string, { from?: string, name: string }>, whole: string[] }} Module
 *   `exported`: by public name, the name in `from` or in the file itself; `whole`: from `export *`.
 */

/** The modules of all files, by path. @param {readonly Package[]} packages @returns {Map<string, Module>} */
export function readModules(packages) {
  return new Map(
    packages.flatMap(({ sources }) => sources.map((source) => [source.path, readModule(source)])),
  );
}

/**
 * Public names of a file, including those through `export *` within the workspace. @param
 * {Map<string, Module>} modules @param {string} path @returns {Set<string>}
 */
export function publicNames(modules, path) {
  const { exported, whole } = modules.get(path) ?? { exported: new Map(), whole: [] };
  const names = new Set(exported.keys());
  for (const from of whole)
    for (const name of publicNames(modules, resolve(modules, path, from) ?? ''))
      if (name !== 'default') names.add(name);
  return names;
}

/**
 * Names that several files declare and export: `{ name, files }`. A re-export does not count,
 * nor do `x.node.ts` and `x.browser.ts`, which are alternatives.
 * @param {Map<string, Module>} modules @returns {{ name: string, files: string[] }[]}
 */
export function findDoubles(modules) {
  /** @type {Map<string, Set<string>>} */
  const byName = new Map();
  for (const [path, module] of modules)
    for (const name of module.exported.keys()) {
      if (name === 'default' || !isOwn(module, name)) continue;
      byName.set(name, (byName.get(name) ?? new Set()).add(path));
    }
  return [...byName]
    .filter(([, files]) => new Set([...files].map(withoutPlatform)).size > 1)
    .map(([name, files]) => ({ name, files: [...files].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @param {string} path */
const withoutPlatform = (path) => path.replace(/\.(node|browser)(?=\.tsx?$)/, '');

/** Whether the file itself declares what it exports under a name. @param {Module} module @param {string} name */
function isOwn({ exported, declared }, name) {
  const found = exported.get(name);
  return found !== undefined && found.from === undefined && declared.has(found.name);
}

/**
 * The file that a relative import refers to; undefined for other packages. @param {Map<string,
 * Module>} modules @param {string} path @param {string} from
 */
function resolve(modules, path, from) {
  const base = posix.join(dirname(path), from).replace(/\.js$/, '');
  return [`${base}.ts`, `${base}.tsx`].find((file) => modules.has(file));
}

/** @param {Source} source @returns {Module} */
function readModule({ program }) {
  /** @type {Module} */
  const module = { declared: new Set(), imported: new Map(), exported: new Map(), whole: [] };
  for (const node of program.body) readStatement(module, node);
  for (const [name, { from, name: local }] of module.exported) {
    const origin = from === undefined ? module.imported.get(local) : undefined;
    if (origin !== undefined) module.exported.set(name, origin);
  }
  return module;
}

/** @param {Module} module @param {import('./sources.mjs').Node} node */
function readStatement(module, node) {
  switch (node.type) {
    case 'ImportDeclaration':
      for (const item of node.specifiers)
        module.imported.set(item.local.name, {
          from: node.source.value,
          name: item.type === 'ImportSpecifier' ? nameOf(item.imported) : '*',
        });
      break;
    case 'ExportAllDeclaration':
      if (node.exported === null) module.whole.push(node.source.value);
      else module.exported.set(nameOf(node.exported), { from: node.source.value, name: '*' });
      break;
    case 'ExportNamedDeclaration':
      for (const item of node.specifiers)
        module.exported.set(nameOf(item.exported), {
          ...(node.source === null ? {} : { from: node.source.value }),
          name: nameOf(item.local),
        });
      for (const name of declaredNames(node.declaration)) {
        module.declared.add(name);
        module.exported.set(name, { name });
      }
      break;
    case 'ExportDefaultDeclaration':
      module.exported.set('default', { name: 'default' });
      break;
    default:
      for (const name of declaredNames(node)) module.declared.add(name);
  }
}

/** @param {import('./sources.mjs').Node} node @returns {string} */
const nameOf = (node) => (node.type === 'Literal' ? node.value : node.name);

/** @param {import('./sources.mjs').Node | null} node @returns {string[]} */
function declaredNames(node) {
  if (node === null) return [];
  if (node.type === 'VariableDeclaration')
    return node.declarations.flatMap(({ id }) => boundNames(id));
  return node.id?.name === undefined ? [] : [node.id.name];
}

/** The names that a pattern binds. @param {any} pattern @returns {string[]} */
function boundNames(pattern) {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap(({ value, argument }) => boundNames(value ?? argument));
    case 'ArrayPattern':
      return pattern.elements.flatMap(boundNames);
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    default:
      return [];
  }
}
