/** The API reference: a page of Markdown a package, written from the docstrings of what is built. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestOf, publicPackages, root } from '../release/packages.mjs';
import { exportsOf, pathOf } from './declarations.mjs';

/**
 * @typedef {import('./declarations.mjs').Declared} Declared
 * @typedef {{ from: string, declared: Declared[], whole: string[] }} Entry
 * @typedef {{ name: string, folder: string, description: string, entries: Entry[] }} Described
 */

/** What every public package exports, by its entries; the command line exports nothing. @returns {Described[]} */
export function describeAll() {
  return publicPackages().flatMap(({ folder, manifest: { name } }) => {
    const manifest = /** @type {any} */ (manifestOf(folder));
    const entries = Object.entries(manifest.exports ?? {}).flatMap(([key, target]) => {
      // For this project's own packages: it promises nothing.
      if (key === './internal') return [];
      const types = typesOf(target);
      // What is internal promises nothing.
      if (types === undefined || key === './internal') return [];
      const file = join(folder, types);
      if (!existsSync(file)) throw new Error(`${file}: is not built; run npm run build`);
      return [{ from: `${name}${key.slice(1)}`, ...exportsOf(file) }];
    });
    if (entries.length === 0) return [];
    return [{ name, folder, description: manifest.description, entries }];
  });
}

/** The file of types that an entry names. @param {unknown} target @returns {string | undefined} */
function typesOf(target) {
  if (typeof target !== 'object' || target === null) return undefined;
  for (const [condition, value] of Object.entries(target)) {
    const found = condition === 'types' ? value : typesOf(value);
    if (typeof found === 'string') return found;
  }
  return undefined;
}

/** Exports that no docstring describes, such as `@grok/core: train`. @param {Described[]} all @returns {string[]} */
export function undocumented(all) {
  return all.flatMap(({ entries }) =>
    entries.flatMap(({ from, declared }) => {
      const told = new Set(declared.flatMap(({ name, doc }) => (doc ? [name] : [])));
      return [...new Set(declared.map(({ name }) => name))]
        .filter((name) => !told.has(name))
        .map((name) => `${from}: ${name}`);
    }),
  );
}

/** Pages by name of file. @param {Described[]} all @returns {Record<string, string>} */
export function pagesOf(all) {
  const pages = all.map((one) => /** @type {const} */ ([pageName(one.name), pageOf(one)]));
  return { 'README.md': indexOf(all), ...Object.fromEntries(pages) };
}

/**
 * The pages that the built command line writes of itself, and its help texts by command; in a process of its
 * own, which loads what is built whatever this one resolves packages to.
 * @returns {{ pages: Record<string, string>, helps: Record<string, string> }}
 */
export function readReference() {
  const script = join(root, 'scripts/api/reference.mjs');
  return JSON.parse(execFileSync(process.execPath, [script], { cwd: root, encoding: 'utf8' }));
}

/** @param {string} name */
const pageName = (name) => `${name.split('/').at(-1)}.md`;

/** @param {Described[]} all */
const indexOf = (all) => `# Reference

Written by \`npm run docs:api\` from what is built: its docstrings, help texts and schemas.

- [Command line](cli.md): every command and option
- [Specification of a run](experiment.md) and [plan of a study](plan.md): every key
- [Components](components.md): tasks, models, strategies, optimizers, probes, backends, with their options

Written by hand: [sites](../reference/sites.md), [errors and exit codes](../reference/errors.md),
[backends](../reference/backends.md), [what an experiment may say](../reference/experiments.md).

| package | |
|---|---|
${all.map(({ name, description }) => `| [${name}](${pageName(name)}) | ${description} |`).join('\n')}
`;

/** @param {Described} described */
function pageOf({ name, folder, description, entries }) {
  const parts = entries.map(({ from, declared, whole }) => {
    const head = entries.length > 1 ? `\n## ${from}\n` : '';
    const again = whole.map((module) => `\nEverything of \`${module}\`.\n`).join('');
    const sections = [...grouped(declared)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([source, items]) => {
        const title = source === '' ? 'From elsewhere' : link(folder, source);
        return `\n${entries.length > 1 ? '###' : '##'} ${title}\n${items.map(itemOf).join('')}`;
      });
    return head + again + sections.join('');
  });
  return `# ${name}\n\n${description}.\n${parts.join('')}`;
}

/** @param {readonly Declared[]} declared @returns {Map<string, Declared[]>} */
function grouped(declared) {
  const by = new Map();
  for (const item of declared) by.set(item.source, [...(by.get(item.source) ?? []), item]);
  return by;
}

/** @param {string} folder @param {string} source */
const link = (folder, source) =>
  `[${source.replace(/^src\//, '')}](../../${pathOf(root, folder, source)})`;

/** @param {Declared} item */
function itemOf({ name, doc, code }) {
  const said = doc === undefined ? '' : `\n${inMarkdown(doc)}\n`;
  return `\n**\`${name}\`**\n${said}\n\`\`\`typescript\n${code}\n\`\`\`\n`;
}

/** A docstring as Markdown: angles outside code are no tags. @param {string} doc */
const inMarkdown = (doc) =>
  doc
    .split('`')
    .map((part, i) => (i % 2 === 1 ? part : part.replaceAll('<', '&lt;')))
    .join('`')
    .replaceAll('@throws ', 'Throws ');

/** Where the committed pages are. */
export const apiFolder = join(root, 'docs/api');

/** A committed page; undefined where there is none. @param {string} name */
export const committed = (name) =>
  existsSync(join(apiFolder, name)) ? readFileSync(join(apiFolder, name), 'utf8') : undefined;
