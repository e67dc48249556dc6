/** The hand-written reference pages match the code: sites, error codes, decisions. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { div } from '@grok/data';
import { transformer } from '@grok/model';
import { expect, test } from 'vitest';
import { sidebar } from '../apps/docs/.vitepress/pages.mjs';
import { readTree } from './architecture/files.js';
import { parseLinks, tableRows } from './docs/markdown.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');
const bare = (cell = ''): string => cell.replaceAll('`', '');

// Catches: a site that was added or renamed, or has another shape.
test('the table of sites matches the paper’s teacher, plus learned positions', () => {
  const task = div({ p: 97 });
  const listed = [transformer({})(task), transformer({ positions: 'learned' })(task)]
    .flatMap((model) => model.sites())
    .filter(({ name }) => !name.startsWith('blocks.1.'))
    .map(({ name, axes, shape }) => [
      name.replace('blocks.0.', 'blocks.*.'),
      axes.join(', '),
      shape.join(', '),
    ]);
  const rows = tableRows(read('docs/reference/sites.md')).map((cells) =>
    cells.slice(0, 3).map(bare),
  );
  expect(rows.map(String).sort()).toEqual([...new Set(listed.map(String))].sort());
});

// Catches: a code that no page explains; a page for a code that is never thrown.
test('the table of error codes lists every code that is thrown', () => {
  const source = readTree(root).filter(({ path }) => /^(packages|apps)\/[^/]+\/src\//.test(path));
  const thrown = source.flatMap(({ text }) =>
    [...text.matchAll(/\bcode(?: =|:) '([a-z][a-z-]*)'/g)].map(([, code = '']) => code),
  );
  const rows = tableRows(read('docs/reference/errors.md')).map(([code]) => bare(code));
  const listed = rows.filter((code) => !/^\d+$/.test(code));
  // `custom` comes from zod.
  expect([...new Set(thrown)].filter((code) => code !== 'custom').sort()).toEqual(listed.sort());
});

// Catches: a key or an option without a description.
test.each(['experiment', 'plan', 'components'])('every row of %s.md has a meaning', (page) => {
  const rows = tableRows(read(`docs/api/${page}.md`));
  expect(rows.length).toBeGreaterThan(10);
  const silent = rows.filter((cells) => /^(Required\.)?$/.test(cells.at(-1) ?? ''));
  expect(silent.map(([key]) => key)).toEqual([]);
});

// Catches: a decision that is not listed.
test('the list of decisions is complete', () => {
  const files = readdirSync(`${root}docs/decisions`).filter((name) => /^\d{4}-/.test(name));
  expect(parseLinks(read('docs/decisions/README.md'))).toEqual(files.sort());
});

interface Entry {
  readonly link?: string;
  readonly items?: readonly Entry[];
}
// Catches: a page that no menu links to.
test('every page is in the site’s menus', () => {
  const listLinks = (entries: readonly Entry[]): string[] =>
    entries.flatMap(({ link, items = [] }) => [...(link ? [link] : []), ...listLinks(items)]);
  const pages = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.md') && !name.startsWith('source/') && name !== 'index.md')
    .map((name) => `/${name.replace(/(README)?\.md$/, '')}`);
  expect(listLinks(sidebar).sort()).toEqual(pages.sort());
});
