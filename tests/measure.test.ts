/** `npm run measure` counts casts, lines and exports correctly on small files. */
import { expect, test } from 'vitest';
import { countFile } from '../scripts/measure/counts.mjs';
import { findDoubles, publicNames, readModules } from '../scripts/measure/exports.mjs';
import { parse, readPackages } from '../scripts/measure/sources.mjs';

const count = (text: string) => countFile(parse('a.ts', text));

test('a cast through unknown counts once, and `as const` does not count', () => {
  // Catches: the inner `as unknown` counted as a second cast; `as const` counted as a cast.
  const counts = count(`
    const a = b as unknown as C; // one
    f(x as never, y as D, z as unknown);
    const e = [1] as const;
    const g = h![0]!.i;
  `);
  expect(counts).toMatchObject({ forced: 2, casts: 2, nonNull: 2, any: 0 });
});

test('a line with code and a comment counts as code, and a blank line as nothing', () => {
  // Catches: a docstring counted as code; a trailing comment counted as a comment line.
  expect(
    count("/**\n * Of `x!`.\n */\nconst a = 1; // as never\n\nconst b = '// no comment';\n"),
  ).toMatchObject({ code: 2, comments: 3, nonNull: 0, forced: 0 });
});

test('suppression directives are counted in comments only', () => {
  // Catches: text that resembles a directive counted as one.
  const text =
    "// @ts-expect-error: no types\n// biome-ignore lint: so\nconst a: any = '@ts-ignore';";
  expect(count(text)).toMatchObject({ tsComments: 1, biomeIgnores: 1, any: 1 });
});

const workspace = (files: Record<string, string>) =>
  readModules([
    {
      ...{ name: 'p', folder: 'p', entries: {} },
      sources: Object.entries(files).map(([path, text]) => parse(path, text)),
    },
  ]);

test('public names follow `export *`, and count once', () => {
  // Catches: a missed re-exported name; a type counted in addition to its value.
  const modules = workspace({
    'p/index.ts': "export * from './a.js'; export { b as c } from './b.js'; export default 1;",
    'p/a.ts': 'export const a = 1; export type a = 2; export const { d, e: [f] } = g; const h = 3;',
    'p/b.ts': 'export const b = 1;',
  });
  expect([...publicNames(modules, 'p/index.ts')].sort()).toEqual(['a', 'c', 'd', 'default', 'f']);
});

test('a name is ambiguous if two files declare it, not if one re-exports it', () => {
  // Catches: every re-export counted as a duplicate, and the two platform versions of a file too.
  const modules = workspace({
    'p/index.ts': "import { a } from './a.js'; export { a }; export * from './b.js';",
    'p/a.ts': 'export const a = 1; export default a;',
    'p/b.ts': 'export interface a {} export default 2;',
    'p/run.node.ts': 'export const run = 1;',
    'p/run.browser.ts': 'export const run = 2;',
  });
  expect(findDoubles(modules)).toEqual([{ name: 'a', files: ['p/a.ts', 'p/b.ts'] }]);
});

test('this tree keeps its counts: one meaning a name, and a small core', () => {
  // Catches: a new package that exports a name which another one has, a type added to core's public API for one caller.
  const modules = readModules(readPackages());
  expect(findDoubles(modules)).toEqual([]);
  expect(publicNames(modules, 'packages/core/src/index.ts').size).toBeLessThanOrEqual(110);
});
