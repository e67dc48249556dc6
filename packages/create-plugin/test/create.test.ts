import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  componentName,
  createPlugin,
  isPluginKind,
  pluginKinds,
  writePlugin,
} from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'create-plugin-'));
afterAll(() => rmSync(folder, { recursive: true }));
const templates = fileURLToPath(new URL('../templates/', import.meta.url));

describe.each(pluginKinds.filter(isPluginKind))('%s', (kind) => {
  it('is its template, with the names that were given', () => {
    const created = createPlugin(kind, '@me/grok-two-words', { cwd: folder });
    expect(created).toMatchObject({ packageName: '@me/grok-two-words', name: 'two-words' });
    const own = readFileSync(join(templates, kind, 'src/index.ts'), 'utf8');
    const source = created.files['src/index.ts'] ?? '';
    // Catches: a line of the template that is lost, or a name of it that stays.
    expect(source.split('\n')).toHaveLength(own.split('\n').length);
    expect(source).toContain("name: 'two-words'");
    expect(source).toContain("name: '@me/grok-two-words'");
    expect(source).toContain('twoWords');
    for (const [path, text] of Object.entries(created.files))
      expect(text, path).not.toMatch(new RegExp(`my-?${kind}`, 'i'));
  });
});

it.each([
  ['rkd', 'rkd'],
  ['grok-rkd', 'rkd'],
  ['@me/rkd', 'rkd'],
])('takes %s for %s', (given, name) => {
  expect(componentName(given)).toBe(name);
});
it.each(['My Task', '', '-x', '@me/', '../up', 'a/b'])('refuses the name %j', (given) => {
  expect(() => createPlugin('task', given, { cwd: folder })).toThrow('a name must be lower case');
});
it('makes a constant of a word that JavaScript keeps for itself', () => {
  expect(createPlugin('task', 'class', { cwd: folder }).files['src/index.ts']).toContain(
    'export const class_:',
  );
});
it('writes nothing over', () => {
  const created = createPlugin('probe', 'spy', { cwd: folder });
  writePlugin(created);
  expect(readdirSync(created.folder).sort()).toEqual([
    ...['LICENSE', 'README.md', 'package.json', 'src', 'test', 'tsconfig.json'],
  ]);
  expect(() => writePlugin(created, 'spy')).toThrow('spy: already exists');
});

describe('as a command', () => {
  const bin = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: 'utf8' });
  it('writes a package and says what comes next', () => {
    const { status, stdout } = run('strategy', 'rkd', '--dir', 'here');
    expect([status, stdout]).toEqual([0, expect.stringContaining('cd here')]);
    expect(readFileSync(join(folder, 'here/package.json'), 'utf8')).toContain('"grok-rkd"');
  });
  it.each([
    [['stratgy', 'rkd'], 'unknown kind "stratgy"; known: strategy, backend'],
    [['strategy'], 'needs a kind and a name'],
    [['strategy', 'rkd', '--nope'], '--nope'],
    [['strategy', 'Rkd'], 'a name must be lower case'],
  ])('refuses %j in one line', (args, message) => {
    const { status, stderr } = run(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).not.toContain('    at ');
  });
});
