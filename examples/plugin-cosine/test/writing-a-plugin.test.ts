/** The plugin in docs/guides/writing-a-plugin.md, extracted from the page: it is short enough and passes its own test. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createRegistry, type Plugin } from '@grok/core';
import { checkPlugin } from '@grok/core/internal';
import * as tf from '@grok/tfjs';
import { expect, test } from 'vitest';

const page = readFileSync(
  new URL('../../../docs/guides/writing-a-plugin.md', import.meta.url),
  'utf8',
);
const blocks = [...page.matchAll(/```(js|json)[^\n]*\n([\s\S]*?)```/g)].map(([, , text]) => text!);
const [manifest, entry, , suite] = blocks as [string, string, string, string];

const folder = fileURLToPath(new URL('../.tsc/writing-a-plugin/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries({
  'package.json': manifest,
  'index.js': entry,
  'index.test.js': suite,
}))
  writeFileSync(folder + name, text);
// Its suite joins this file's tests.
await import(/* @vite-ignore */ `${folder}index.test.js`);
const { default: plugin } = (await import(/* @vite-ignore */ `${folder}index.js`)) as {
  default: Plugin;
};

test('has under 45 lines of at most 100 columns', () => {
  const lines = entry.trimEnd().split('\n');
  expect(lines.length).toBeLessThan(45);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
});
test('is a plugin with the name of its package', () => {
  expect(() => checkPlugin(plugin)).not.toThrow();
  expect(JSON.parse(manifest)).toMatchObject({ name: plugin.name, version: plugin.version });
});
test('fills in its default and refuses unknown options', () => {
  const create = (options: object) =>
    createRegistry([plugin]).create('strategy', 'logit-regression', options, { tf });
  expect(create({})).toBeTypeOf('function');
  expect(() => create({ center: true })).toThrow('did you mean "centered"');
});
