/** The release checks, tested on faulty examples, and the version numbers they produce. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { missingChangesets } from '../scripts/changeset.mjs';
import { fileFaults, manifestFaults } from '../scripts/release/check.mjs';
import { isLoopback, refusals } from '../scripts/release/guards.mjs';
import { publicPackages, root } from '../scripts/release/packages.mjs';
import { readSizes, sizeFaults, tableOf } from '../scripts/release/sizes.mjs';
import { withVersion, writeVersions } from '../scripts/release/versions.mjs';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe('npm run check asks for a changeset', () => {
  const packages = [
    { name: '@grok/core', folder: 'packages/core' },
    { name: '@grok/cli', folder: 'apps/cli' },
    { name: '@grok/create-plugin', folder: 'packages/create-plugin' },
  ];
  const missing = (changed: string[], changesets: string[] = []): string[] =>
    missingChangesets({ changed, changesets, packages });
  test('when source, templates or a manifest change', () => {
    expect(missing(['packages/core/src/a.ts', 'packages/create-plugin/templates/x/y.ts'])).toEqual([
      '@grok/core',
      '@grok/create-plugin',
    ]);
    expect(missing(['packages/core/package.json'])).toEqual(['@grok/core']);
  });
  test('for that package by name', () => {
    const changeset = '---\n"@grok/core": patch\n---\n\nA change.\n';
    expect(missing(['packages/core/src/a.ts', 'apps/cli/src/b.ts'], [changeset])).toEqual([
      '@grok/cli',
    ]);
  });
  test('but not for tests, documentation or a release', () => {
    expect(missing(['packages/core/test/a.test.ts', 'packages/core/README.md'])).toEqual([]);
    expect(missing(['packages/core-x/src/a.ts'])).toEqual([]);
    expect(missing(['packages/core/package.json', 'packages/core/CHANGELOG.md'])).toEqual([]);
  });
});

describe('npm run release refuses', () => {
  const ready = {
    registry: 'https://registry.example.org',
    status: '',
    branch: 'main',
    changesets: [],
    provenance: false,
    packages: [{ name: '@grok/x', version: '1.0.0' }],
  };
  test.each([
    ['no registry', { registry: undefined }, 'needs a registry by name'],
    ['a registry that is no address', { registry: 'npm' }, 'got "npm"'],
    ['a tree that is not clean', { status: ' M README.md\n' }, 'not clean (M README.md'],
    ['another branch', { branch: 'try' }, 'this is try'],
    ['changesets not taken in', { changesets: ['wise-owls.md'] }, '1 changesets'],
    ['provenance of packages without a repository', { provenance: true }, '1 packages (@grok/x …)'],
  ])('%s', (_, change, reason) => {
    expect(refusals({ ...ready, ...change }).join('\n')).toContain(reason);
  });
  test('and nothing else', () => {
    expect(refusals(ready)).toEqual([]);
    const repository = { type: 'git', url: 'git+https://example.org/x.git' };
    const packages = ready.packages.map((manifest) => ({ ...manifest, repository }));
    expect(refusals({ ...ready, provenance: true, packages })).toEqual([]);
  });
});

// Catches: a test that publishes to the real registry.
test('loopback is recognized by address, not by look-alike names', () => {
  expect(isLoopback('http://127.0.0.1:4873/')).toBe(true);
  for (const address of ['http://localhost:1/', 'https://127.0.0.1.example.org/', 'npm', ''])
    expect(isLoopback(address), address).toBe(false);
});

describe('a packed package', () => {
  const sound = {
    name: '@grok/x',
    version: '1.0.0',
    description: 'x',
    license: 'MIT',
    keywords: ['grok'],
    sideEffects: false,
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  };
  test.each([
    ['lacks a license', { license: undefined }, 'no "license"'],
    ['names the workspace', { dependencies: { y: 'workspace:^' } }, 'names the workspace'],
    ['leads to source', { exports: { '@grok/source': './src/index.ts' } }, 'lead to source'],
    ['pulls a second core', { dependencies: { '@grok/core': '1' } }, 'make it a peer'],
    ['insists on provenance', { publishConfig: { provenance: true } }, 'NPM_CONFIG_PROVENANCE'],
  ])('is reported if %s', (_, change, fault) => {
    const packed = { ...sound, ...change } as typeof sound;
    expect(manifestFaults(packed).join('\n')).toContain(fault);
  });
  test('is accepted if complete', () => expect(manifestFaults(sound)).toEqual([]));
  test('ships its README and license, with code and no relative links in the README, and no source', () => {
    const maps = ['package/dist/index.js.map', 'package/dist/index.d.ts.map'];
    const files = ['package/package.json', 'package/README.md', 'package/src/index.ts', ...maps];
    expect(fileFaults(files, () => 'No code.')).toEqual([
      'has no LICENSE',
      'ships package/src/index.ts',
      'ships package/dist/index.d.ts.map',
      'its README shows no code',
    ]);
    const whole = ['README.md', 'LICENSE', 'dist/index.js'].map((name) => `package/${name}`);
    const readme =
      '```js\n```\n[here](https://a.b) [code](dist/index.js) ![curves](../../docs/x.png)';
    expect(fileFaults(whole, () => readme)).toEqual(['its README leads to ../../docs/x.png']);
    const bundled = (path: string) => (path.endsWith('.js') ? '/* Apache License */' : '```js');
    const held =
      'package/dist/index.js holds code under the Apache License; ship THIRD_PARTY_LICENSES';
    expect(fileFaults(whole, bundled)).toEqual([held]);
    expect(fileFaults([...whole, 'package/THIRD_PARTY_LICENSES'], bundled)).toEqual([]);
  });
});

describe('sizes', () => {
  test('the table lists existing packages within their budgets', () => {
    const table = readSizes();
    const names = publicPackages().map(({ manifest }) => manifest.name);
    expect(table.map(({ name }) => name).filter((name) => !names.includes(name))).toEqual([]);
    // A new package gets a budget before it is published, so the table may be shorter.
    expect(table.length).toBeGreaterThanOrEqual(16);
    expect(sizeFaults(table, table)).toEqual([]);
  });
  test('a package that is over its budget, or new, is reported', () => {
    const table = readSizes(tableOf([{ name: 'x', packed: 4, installed: 1.5, budget: 5 }]));
    expect(table).toEqual([{ name: 'x', packed: 4, installed: 1.5, budget: 5 }]);
    const grown = ['x', 'y'].map((name) => ({ name, packed: 5.1, installed: 2 }));
    const faults = sizeFaults(grown, table);
    expect(faults[0]).toContain('x: weighs 5.1 kB packed, its budget is 5 kB');
    expect(faults[1]).toContain('y: docs/notes/sizes.md lacks it');
  });
});

describe('versions', () => {
  /** The workspace's manifests, with a changeset for a minor version of core. */
  const copy = (change: (config: Record<string, unknown>) => void = () => {}): string => {
    const folder = mkdtempSync(join(tmpdir(), 'grok-versions-'));
    folders.push(folder);
    for (const name of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml'])
      cpSync(join(root, name), join(folder, name));
    for (const { folder: from } of publicPackages()) {
      mkdirSync(join(folder, relative(root, from)), { recursive: true });
      cpSync(join(from, 'package.json'), join(folder, relative(root, from), 'package.json'));
    }
    mkdirSync(join(folder, '.changeset'));
    const config = JSON.parse(readFileSync(join(root, '.changeset/config.json'), 'utf8'));
    change(config);
    writeFileSync(join(folder, '.changeset/config.json'), JSON.stringify(config));
    writeFileSync(
      join(folder, '.changeset/new-core.md'),
      `---\n"@grok/core": minor\n---\n\nAdd a word.\n`,
    );
    return folder;
  };
  /** In its own process: changesets must load under Node's conditions, not vitest's. */
  const dueVersions = (folder: string): string[] => {
    const code = `import { dueVersions } from './scripts/release/versions.mjs';
      console.log(JSON.stringify(await dueVersions(${JSON.stringify(folder)})));`;
    const args = ['--input-type=module', '--eval', code];
    const env = { ...process.env, NODE_OPTIONS: '' };
    return JSON.parse(execFileSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' }));
  };
  // Catches: every strategy at 1.0 because core got a minor version.
  test('a minor version of core makes no package major', () => {
    const due = dueVersions(copy());
    expect(due).toContain('versions: @grok/core 0.1.0 → 0.2.0 (minor)');
    expect(due.filter((line) => line.includes('(major)'))).toEqual([]);
    expect(due.filter((line) => /distill-|optim|model/.test(line))).toEqual([]);
  });
  test('without the option it would', () => {
    const due = dueVersions(
      copy((config) => delete config.___experimentalUnsafeOptions_WILL_CHANGE_IN_PATCH),
    );
    expect(due.filter((line) => line.includes('(major)')).length).toBeGreaterThan(5);
  });
  // Catches: core 0.2.0 that reports 0.1.0, and refuses plugins made for it.
  test('the version in the source follows the manifest', () => {
    expect(withVersion(`export const coreVersion = '0.1.0';`, '0.1.0', '0.2.0')).toBe(
      `export const coreVersion = '0.2.0';`,
    );
    expect(withVersion(`{ version: '0.1.0', core: '>=0.1.0 <1' }`, '0.1.0', '0.1.1')).toBe(
      `{ version: '0.1.1', core: '>=0.1.0 <1' }`,
    );
    const folder = copy();
    const own = publicPackages(folder).filter(({ manifest }) => manifest.name !== '@grok/tfjs');
    for (const { folder: to, manifest } of own) {
      cpSync(join(root, relative(folder, to), 'src'), join(to, 'src'), { recursive: true });
      writeFileSync(join(to, 'package.json'), JSON.stringify({ ...manifest, version: '7.7.7' }));
    }
    mkdirSync(join(folder, 'packages/tfjs/src'), { recursive: true });
    writeVersions(new Map(own.map(({ manifest }) => [manifest.name, manifest.version])), folder);
    const left = own.filter(({ folder: at, manifest }) => {
      const entry = join(
        at,
        manifest.name === '@grok/core' ? 'src/plugins/plugin.ts' : 'src/index.ts',
      );
      if (!manifest.keywords?.includes('grok-plugin') && manifest.name !== '@grok/core')
        return false;
      return !readFileSync(entry, 'utf8').includes(`'7.7.7'`);
    });
    expect(left.map(({ manifest }) => manifest.name)).toEqual([]);
  });
});
