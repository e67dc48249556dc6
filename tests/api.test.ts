/** The API reference is what the docstrings say, and every export has one. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { apiFolder, committed, describeAll, pagesOf, undocumented } from '../scripts/api/pages.mjs';

const all = describeAll();

describe('the API reference', () => {
  // Catches: a page that tells of a signature of last month; mended by npm run docs:api.
  const pages = pagesOf(all);
  test.each(Object.keys(pages))('%s is as npm run docs:api writes it', (name) => {
    expect(committed(name)).toBe(pages[name]);
  });
  test('has no page of a package that is gone', () => {
    expect(readdirSync(apiFolder).sort()).toEqual(Object.keys(pages).sort());
  });
});
test('every export has a docstring (a name that only its author understands)', () => {
  expect(undocumented(all)).toEqual([]);
});
test('names, signatures and docstrings come through bundling and renaming (an entry left out)', () => {
  const core = all.find(({ name }) => name === '@grok/core');
  const found = (name: string) =>
    core?.entries.flatMap(({ declared }) => declared).filter((item) => item.name === name);
  expect(found('defineStrategy')).toMatchObject([
    {
      source: 'src/plugins/define.ts',
      doc: 'Declares a strategy: a term of the loss.',
      code: expect.stringMatching(/^const defineStrategy: Define<"strategy">/),
    },
  ]);
  expect(found('Tracker')?.[0]?.code).toMatch(/^type Tracker = \(run: TrackedRun\) =>/);
  expect(core?.entries.map(({ from }) => from)).toEqual(['@grok/core', '@grok/core/node']);
});
