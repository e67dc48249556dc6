/** The API reference matches docstrings, help texts and schemas, and every export has a docstring. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  apiFolder,
  committed,
  describeAll,
  pagesOf,
  readReference,
  undocumented,
} from '../scripts/api/pages.mjs';
import { listRows } from '../scripts/api/schema-words.mjs';

const all = describeAll();

describe('the API reference', () => {
  // Catches: a page with an outdated signature; fixed by npm run docs:api.
  const pages: Record<string, string> = { ...pagesOf(all), ...readReference().pages };
  test.each(Object.keys(pages))('%s matches the output of npm run docs:api', (name) => {
    expect(committed(name)).toBe(pages[name]);
  });
  test('has no page for a removed package', () => {
    expect(readdirSync(apiFolder).sort()).toEqual(Object.keys(pages).sort());
  });
});
test('every export has a docstring (catches: a name that only its author understands)', () => {
  expect(undocumented(all)).toEqual([]);
});
test('names, signatures and docstrings survive bundling and renaming (catches: a missing entry)', () => {
  const core = all.find(({ name }) => name === '@grok/core');
  const found = (name: string) =>
    core?.entries.flatMap(({ declared }) => declared).filter((item) => item.name === name);
  expect(found('defineStrategy')).toMatchObject([
    {
      source: 'src/plugins/define.ts',
      doc: 'Defines a strategy: a term of the loss.',
      code: expect.stringMatching(/^const defineStrategy: Define<"strategy">/),
    },
  ]);
  expect(found('Tracker')?.[0]?.code).toMatch(/^type Tracker = \(run: TrackedRun\) =>/);
  expect(core?.entries.map(({ from }) => from)).toEqual(['@grok/core', '@grok/core/node']);
});
// Catches: a bound, a default or a key that the reference omits or invents.
test('a schema is described in words', () => {
  const schema = {
    properties: {
      batch: { anyOf: [{ type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 }, { const: 'full' }] },
      rate: { type: 'number', exclusiveMinimum: 0, maximum: 1, default: 0.5 },
      terms: { type: 'array', items: { type: 'object', properties: { use: { type: 'string' } } } },
      teachers: { type: 'object', additionalProperties: { type: 'string' } },
    },
    required: ['batch'],
  };
  expect(listRows(schema, new Map([['batch', 'rows a\n step']]))).toEqual([
    ['batch', 'integer ≥ 1 or "full"', 'Required. Rows a step.'],
    ['rate', 'number > 0, ≤ 1', 'Default: `0.5`.'],
    ['terms', 'list of { use }', ''],
    ['terms[].use', 'string', ''],
    ['teachers', 'object of string by name', ''],
  ]);
});
