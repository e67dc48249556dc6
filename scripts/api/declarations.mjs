/** Reads what a built `.d.ts` exports: names, declarations and docstrings, with the parser in Vite. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync } from 'vite';

/**
 * @typedef {{ name: string, source: string, code: string, doc: string | undefined }} Declared
 *   `source`: the file it was written in, seen from the package's folder.
 * @typedef {Declared & { members?: { name: string, local: string }[] }} Found  `members`: those of a namespace.
 * @typedef {{ declared: Declared[], whole: string[] }} Exported
 *   `whole`: modules of which everything is exported again.
 * @typedef {{ declarations: Map<string, Found[]>, imports: Map<string, { from: string, name: string }>,
 *   exports: Map<string, string>, whole: string[] }} Module
 */

/**
 * The exports of a declaration file, including its chunks, in the order of sources and lines.
 * @param {string} file @returns {Exported}
 */
export function exportsOf(file) {
  const seen = new Map();
  const { exports, whole } = moduleOf(file, seen);
  const declared = [...exports.keys()].flatMap((name) => resolve(file, name, seen));
  return { declared, whole };
}

/** @param {string} file @param {string} exported @param {Map<string, Module>} seen @returns {Declared[]} */
function resolve(file, exported, seen) {
  const local = moduleOf(file, seen).exports.get(exported);
  if (local === undefined) throw new Error(`${file}: exports no "${exported}"`);
  return declaredAs(file, local, exported, seen);
}

/** @param {string} file @param {string} local @param {string} exported @param {Map<string, Module>} seen @returns {Declared[]} */
function declaredAs(file, local, exported, seen) {
  const { declarations, imports } = moduleOf(file, seen);
  const own = declarations.get(local);
  if (own !== undefined)
    return own.flatMap(({ members, ...item }) =>
      members === undefined
        ? [{ ...item, name: exported }]
        : members.flatMap((m) => declaredAs(file, m.local, `${exported}.${m.name}`, seen)),
    );
  const chunk = imports.get(local);
  if (chunk === undefined) throw new Error(`${file}: "${exported}" is declared nowhere`);
  if (!chunk.from.startsWith('.')) {
    const code = `export { ${chunk.name} } from '${chunk.from}'`;
    return [{ name: exported, source: '', code, doc: `As in \`${chunk.from}\`.` }];
  }
  const next = join(dirname(file), chunk.from.replace(/\.js$/, '.d.ts'));
  return resolve(next, chunk.name, seen).map((item) => ({ ...item, name: exported }));
}

/** @param {string} file @param {Map<string, Module>} seen @returns {Module} */
function moduleOf(file, seen) {
  const known = seen.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, 'utf8');
  const { program, comments, errors } = parseSync(file, text, { lang: 'dts' });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  /** @type {Module} */
  const found = { declarations: new Map(), imports: new Map(), exports: new Map(), whole: [] };
  for (const node of program.body) readStatement(node, found, { text, comments });
  seen.set(file, found);
  return found;
}

/**
 * Adds what one statement imports, exports or declares.
 * @param {any} node @param {Module} module @param {{ text: string, comments: any[] }} file
 */
function readStatement(node, module, file) {
  switch (node.type) {
    case 'ImportDeclaration':
      for (const item of node.specifiers)
        module.imports.set(item.local.name, {
          from: node.source.value,
          name: item.type === 'ImportSpecifier' ? nameOf(item.imported) : '*',
        });
      break;
    case 'ExportAllDeclaration':
      module.whole.push(node.source.value);
      break;
    default:
      for (const item of node.specifiers ?? [])
        module.exports.set(nameOf(item.exported), nameOf(item.local));
      addDeclaration(node, module, file);
  }
}

/** @param {any} node @param {Module} module @param {{ text: string, comments: any[] }} file */
function addDeclaration(node, module, { text, comments }) {
  const inner = node.declaration ?? node;
  const docs = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'));
  const regions = comments.filter(({ value }) => value.startsWith('#region '));
  const doc = docs.find(({ end }) => end <= node.start && !text.slice(end, node.start).trim());
  const region = regions.findLast(({ start }) => start < node.start)?.value.slice(8) ?? '';
  const members = membersOf(inner);
  for (const name of namesOf(inner)) {
    const item = {
      ...{ name, source: region.replace(/\.d\.ts$/, '.ts') },
      ...{ code: text.slice(inner.start, inner.end).replace(/^declare /, '') },
      doc: doc && plain(doc.value),
      ...(members === undefined ? {} : { members }),
    };
    module.declarations.set(name, [...(module.declarations.get(name) ?? []), item]);
    if (inner !== node) module.exports.set(name, name);
  }
}

/** @param {any} node @returns {string} */
const nameOf = (node) => (node.type === 'Literal' ? node.value : node.name);

/** The exports of a namespace. @param {any} node @returns {{ name: string, local: string }[] | undefined} */
function membersOf({ type, body }) {
  if (type !== 'TSModuleDeclaration') return undefined;
  return body.body
    .flatMap((/** @type {any} */ { specifiers = [] }) => specifiers)
    .map((/** @type {any} */ item) => ({
      name: nameOf(item.exported),
      local: nameOf(item.local),
    }));
}

/** @param {any} node @returns {string[]} */
function namesOf(node) {
  if (node.type === 'VariableDeclaration')
    return node.declarations.map((/** @type {any} */ { id }) => id.name);
  return node.id?.name === undefined ? [] : [node.id.name];
}

/** A docstring without its stars. @param {string} comment */
function plain(comment) {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, ''))
    .join('\n')
    .replace(/^\*/, '')
    .trim();
}

/** A source file's path in its repository. @param {string} root @param {string} folder @param {string} source */
export const pathOf = (root, folder, source) =>
  relative(root, join(folder, source)).replaceAll('\\', '/');
