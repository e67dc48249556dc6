/** What becomes of links to files and of tables: sources become pages of their own, other files are published as they are. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { docs, root } from './files.mjs';

/**
 * @typedef {{ type: string, attrGet(name: string): string | null, attrSet(name: string, value: string): void }} Token
 *   a token of markdown-it
 */

/** A link's file, by its path in the repository; undefined for pages and other sites. @param {string} href @param {string} from the page, in the repository */
function targetFile(href, from) {
  const target = href.replace(/#.*$/, '');
  if (target === '' || /^([a-z]+:|\/)/.test(target)) return undefined;
  const file = posix.join(posix.dirname(from), target).replace(/\/$/, '');
  return file.startsWith('docs/') && file.endsWith('.md') ? undefined : file;
}

/** A source's name among the pages: VitePress would cut the ends of `README.md` and `page.html`. @param {string} file */
export const pageName = (file) => file.replace(/\.(md|html)$/, '-$1');
/** True for what the site has as it is: a file below `docs`. @param {string} file */
const isPublished = (file) => file.startsWith('docs/') && statSync(join(root, file)).isFile();
/** Where the site has a file or a folder of the repository. @param {string} file */
const sitePath = (file) =>
  isPublished(file) ? file.slice('docs'.length) : `/source/${pageName(file)}.html`;

/** All files that pages link to, by their paths in the repository. @returns {string[]} */
function linkedFiles() {
  const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.md'));
  const files = pages.flatMap((name) => {
    const text = readFileSync(join(docs, name), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, href = '']) => {
      const file = targetFile(href, `docs/${name}`);
      return file === undefined ? [] : [file];
    });
  });
  return [...new Set(files)].sort();
}

/** The sources and folders that pages link to, each of which gets a page, by their paths in the repository. */
export const linkedSources = () => linkedFiles().filter((file) => !isPublished(file));

/** The files below a folder that are no pages, by their paths in the repository. @param {string} folder */
export const listFiles = (folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((file) => !file.endsWith('.md') && isPublished(file))
    .sort();

/** Copies what pages link to within `docs`, and what the folders hold that they link to. @param {string} outDir */
export function publishFiles(outDir) {
  const files = linkedFiles().flatMap((file) => {
    if (!file.startsWith('docs/')) return [];
    return isPublished(file) ? [file] : listFiles(file);
  });
  for (const file of files) {
    const to = join(outDir, relative('docs', file));
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(root, file), to);
  }
}

/** Points links to files where the site has them. @param {import('vitepress').MarkdownRenderer} md */
export function linkFiles(md) {
  md.core.ruler.push('files', ({ env, tokens }) => {
    const from = `docs/${relative(docs, env.realPath ?? env.path).replaceAll('\\', '/')}`;
    for (const token of tokens.flatMap(({ children }) => children ?? [])) pointLink(token, from);
  });
}

/** Lets the keyboard scroll tables, and makes no heading of an empty cell. @param {import('vitepress').MarkdownRenderer} md */
export function mendTables(md) {
  md.core.ruler.push('tables', ({ tokens }) => {
    for (const token of tokens.filter(({ type }) => type === 'table_open'))
      token.attrSet('tabindex', '0');
    const empty = tokens.flatMap(({ content }, i) =>
      content === '' ? [tokens[i - 1], tokens[i + 1]] : [],
    );
    for (const cell of empty) if (cell?.tag === 'th') cell.tag = 'td';
  });
}

/** @param {Token} token @param {string} from the page, in the repository */
function pointLink(token, from) {
  const href = token.type === 'link_open' ? token.attrGet('href') : null;
  if (href === null || /^[a-z]+:/.test(href)) return;
  const file = targetFile(href, from);
  // A folder's README is its first page; VitePress looks only for plain rewrites in links.
  const page = href.replace(/README\.md(?=#|$)/, 'index.md');
  token.attrSet('href', file === undefined ? page : sitePath(file));
}
