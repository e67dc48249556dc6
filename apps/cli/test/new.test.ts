/** `grok new`: each package type-checks, passes its suite and is a plugin, outside the monorepo and inside. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistry, type Plugin } from '@grok/core';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../src/main.js';
import { bench, root } from './helpers.js';

const KINDS = ['strategy', 'backend', 'task', 'optimizer', 'probe'];
// Inside the checkout, so that what the packages depend on is found without an installation.
const folder = join(root, '.tsc/new');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const world = bench();
afterAll(() => world.remove());

const grok = async (cwd: string, ...argv: string[]): Promise<{ code: number; text: string }> => {
  let text = '';
  const sink = { write: (more: string) => (text += more) };
  const { signal } = new AbortController();
  const code = await main(argv, { out: sink, err: sink, env: {}, cwd, signal });
  return { code, text };
};
const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

for (const kind of KINDS) {
  const { code, text } = await grok(folder, 'new', kind, `my-${kind}`, '--dir', kind);
  if (code !== 0) throw new Error(text);
  // Its suite joins this file's tests.
  await import(/* @vite-ignore */ join(folder, kind, 'test/index.test.ts'));
}

describe('outside the monorepo', () => {
  it('all type-check, as their own build does', () => {
    // Catches: a template that no longer fits the contracts.
    const config = JSON.parse(read(folder, 'task/tsconfig.json'));
    config.compilerOptions.customConditions = ['@grok/source'];
    config.compilerOptions.noEmit = true;
    delete config.compilerOptions.rootDir;
    for (const kind of KINDS)
      expect(JSON.parse(read(folder, kind, 'tsconfig.json')).compilerOptions.strict).toBe(true);
    const file = join(folder, 'tsconfig.json');
    writeFileSync(file, JSON.stringify({ ...config, include: KINDS.map((kind) => `${kind}/src`) }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', file], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout.split('\n').filter((line) => /^\w+\/src\//.test(line))).toEqual([]);
  });
  it.each(KINDS)('%s is a plugin, named as its package', async (kind) => {
    const module = (await import(/* @vite-ignore */ join(folder, kind, 'src/index.ts'))) as {
      default: Plugin;
    };
    const manifest = JSON.parse(read(folder, kind, 'package.json'));
    expect(manifest).toMatchObject({
      name: `grok-my-${kind}`,
      version: module.default.version,
      license: 'MIT',
      keywords: expect.arrayContaining(['grok-plugin']),
      // Catches: a package published without code, because nobody had built it.
      scripts: { build: 'tsc -p .', prepack: 'tsc -p .' },
      peerDependencies: { '@grok/core': module.default.core },
    });
    expect(module.default.name).toBe(manifest.name);
    const listed = createRegistry([module.default]).list();
    expect(listed.some((item) => item.kind === kind && item.name === `my-${kind}`)).toBe(true);
    // Catches: a name of the template that nobody gave.
    for (const file of ['package.json', 'README.md', 'src/index.ts', 'test/index.test.ts'])
      expect(read(folder, kind, file).replaceAll(`my-${kind}`, '')).not.toMatch(/my-|YEAR|emplate/);
    // Catches: one way to name them all, which a task or a backend is not named by.
    const flag = { strategy: '--strategy', backend: '--backend', task: '--op' }[kind] ?? '--set';
    expect(read(folder, kind, 'README.md')).toContain(`--plugin grok-my-${kind} ${flag} `);
  });
  it('a strategy stays free of imports of ours, so that it works wherever it is copied', () => {
    for (const kind of ['strategy', 'task', 'optimizer', 'probe'])
      expect(read(folder, kind, 'src/index.ts')).not.toMatch(/^import (?!type)/m);
  });
  it('names what it would not write, and writes nothing over', async () => {
    const said = async (...argv: string[]) => (await grok(folder, 'new', ...argv)).text;
    expect(await said('stratgy', 'x')).toContain('unknown kind "stratgy": did you mean "strategy"');
    expect(await said('task', 'My Task')).toContain('a name must be lower case');
    expect(await said('task', 'again', '--dir', 'task')).toContain('already exists');
    expect(await said('backend', 'onnx')).toBe(
      'grok: grok new: backend "onnx" is built in (@grok/backend-onnx); choose another name\n',
    );
    expect(await said('strategy', '@me/grok-hard')).toContain('is built in (@grok/core)');
  });
});

it('tells what it wrote as JSON too', async () => {
  const done = await world.grok('new', 'probe', 'spy', '--json');
  expect(done).toMatchObject({ code: 0, err: expect.stringContaining('npm install') });
  const { files, ...text } = done.json<{ files: string[] }>();
  expect(text).toEqual({ package: 'grok-spy', name: 'spy', out: 'grok-spy' });
  expect(files).toContain('src/index.ts');
});

describe('inside the monorepo', () => {
  it('is a package like the others, and the root refers to it', async () => {
    mkdirSync(join(world.dir, 'packages/core'), { recursive: true });
    const references = ['packages/core', 'packages/tfjs', 'apps/cli'].map((path) => ({ path }));
    writeFileSync(join(world.dir, 'package.json'), '{"name":"grok"}');
    writeFileSync(join(world.dir, 'pnpm-workspace.yaml'), 'packages: [packages/*]');
    writeFileSync(join(world.dir, 'tsconfig.json'), JSON.stringify({ files: [], references }));
    const done = await world.grok('new', 'strategy', 'rkd', '--no-install');
    expect(done.code).toBe(0);
    expect(
      JSON.parse(read(world.dir, 'tsconfig.json')).references.map((r: { path: string }) => r.path),
    ).toEqual(['packages/core', 'packages/distill-rkd', 'packages/tfjs', 'apps/cli']);
    const like = JSON.parse(read(root, 'packages/distill-logit/package.json'));
    const packageJson = JSON.parse(read(world.dir, 'packages/distill-rkd/package.json'));
    expect(packageJson.name).toBe('@grok/distill-rkd');
    for (const key of ['exports', 'publishConfig', 'peerDependencies', 'files', 'engines', 'type'])
      expect(packageJson[key], key).toEqual(like[key]);
    for (const file of ['tsdown.config.ts', 'tsconfig.json'])
      expect(read(world.dir, 'packages/distill-rkd', file), file).toBe(
        read(root, 'packages/distill-logit', file),
      );
  });
});
