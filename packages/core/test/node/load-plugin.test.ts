import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInputError } from '@grok/core';
import { loadPlugin } from '@grok/core/node';
import { afterAll, describe, expect, it, vi } from 'vitest';

const built = fileURLToPath(new URL('../../dist/node/index.js', import.meta.url));
const root = realpathSync(mkdtempSync(join(tmpdir(), 'grok-plugins-')));
afterAll(() => rmSync(root, { recursive: true }));
const put = (path: string, text: string): string => {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};
const source = (name: string): string => `export default {
  name: '${name}', version: '1.2.3', core: '>=0.1.0 <1',
  components: [{ kind: 'strategy', name: '${name}', summary: 'For the test.', options: { type: 'object' },
    create: () => () => ({ needs: { student: [] }, loss: () => ({}) }) }],
};`;
const failure = async (entry: string, cwd = root): Promise<string> => {
  const error = await loadPlugin(entry, cwd).then(
    () => expect.unreachable(`${entry} must fail`),
    (reason: Error) => reason,
  );
  expect(isInputError(error), String(error)).toBe(true);
  expect(error.message).toContain(`plugin "${entry}": `);
  expect(error.message).not.toContain('\n');
  return error.message;
};

describe('loadPlugin', () => {
  it('loads a folder by its exports, its main or its index.js', async () => {
    // Catches: one of the three ways to name a package's entry missing; paths not relative to cwd.
    put(
      'exports/package.json',
      '{"name":"cosine","version":"2.0.0","type":"module","exports":{"types":"./no.d.ts","import":"./lib/a.js"}}',
    );
    put('exports/lib/a.js', source('a'));
    put(
      'by-dot/package.json',
      '{"name":"dot","type":"module","exports":{".":{"browser":"./no.js","default":["./a.mjs"]},"./x":"./no.js"}}',
    );
    put('by-dot/a.mjs', source('dot'));
    put('main/package.json', '{"name":"main","version":"1.0.0","main":"a.mjs"}');
    put('main/a.mjs', source('main'));
    put('index/package.json', '{"type":"module"}');
    put('index/index.js', source('index'));
    const first = await loadPlugin('./exports', root);
    expect(first.plugin.components[0]?.name).toBe('a');
    expect(first.package).toEqual({ name: 'cosine', version: '2.0.0' });
    expect(first.file).toBe(join(root, 'exports/lib/a.js'));
    expect((await loadPlugin('by-dot', root)).package).toEqual({ name: 'dot', version: '0.0.0' });
    expect((await loadPlugin('../main', join(root, 'index'))).plugin.name).toBe('main');
    const index = await loadPlugin(join(root, 'index'), '/');
    expect(index.plugin.name).toBe('index');
    expect(index).not.toHaveProperty('package');
  });

  it('loads a file, by path or URL', async () => {
    // Catches: a file treated as a package name.
    const file = put('single.mjs', source('single'));
    for (const entry of ['./single.mjs', 'single.mjs', file, `file://${file}`])
      expect((await loadPlugin(entry, root)).plugin.name).toBe('single');
  });

  it('loads an installed package from the working folder upwards, including subpaths and links', async () => {
    // Catches: only grok's own node_modules searched; a folder with the package's name preferred to
    // it.
    put(
      'node_modules/@lab/pkg/package.json',
      '{"name":"@lab/pkg","version":"0.3.0","type":"module","exports":{".":"./a.js","./sub":"./b.js"}}',
    );
    put('node_modules/@lab/pkg/a.js', source('installed'));
    put('node_modules/@lab/pkg/b.js', source('sub'));
    put('deep/er/@lab/pkg/index.js', source('wrong'));
    const cwd = join(root, 'deep/er');
    const { plugin, package: around } = await loadPlugin('@lab/pkg', cwd);
    expect([plugin.name, around]).toEqual(['installed', { name: '@lab/pkg', version: '0.3.0' }]);
    expect((await loadPlugin('@lab/pkg/sub', cwd)).plugin.name).toBe('sub');
    expect(await failure('@lab/pkg/none', cwd)).toContain(
      'does not have that entry; build or reinstall @lab/pkg',
    );
    symlinkSync(join(root, 'main'), join(root, 'node_modules/linked'));
    expect((await loadPlugin('linked', cwd)).plugin.name).toBe('main');
  });

  it('says what is wrong with an entry that is not a plugin', async () => {
    // Catches: a stack trace, or a much later failure that names neither the entry nor its fault.
    expect(await failure('./nowhere')).toContain(`no file or folder ${join(root, 'nowhere')}`);
    expect(await failure('no-such-package')).toContain('install it or give its path');
    expect(await failure('@lab/absent')).toContain(`no such package in ${root} or above`);
    put('unbuilt/package.json', '{"name":"unbuilt","exports":"./dist/index.js"}');
    expect(await failure('./unbuilt')).toContain(
      'has no entry (package.json exports or main, or index.js); build it',
    );
    put('named.mjs', 'export const plugin = 1;');
    expect(await failure('./named.mjs')).toContain(
      'has no default export; export a plugin, { name, version, core, components }',
    );
    put('throws.mjs', 'throw new TypeError("on import");');
    expect(await failure('./throws.mjs')).toContain('fails to load: TypeError: on import');
    put('odd.mjs', 'throw "a string";');
    expect(await failure('./odd.mjs')).toContain('fails to load: a string');
    put('bad-json/package.json', '{');
    expect(await failure('./bad-json')).toContain('bad-json/package.json: must be JSON');
  });

  it.each(['*', 'x', '0', '0.1', '0.1.x', '~0.1.0', '^0.1.0-0', '>=0.1.0-0 <1 || ^2', '0.1 - 0.3'])(
    'treats the range "%s" as npm does',
    async (core) => {
      // Catches: the widest range treated as none; a valid npm range refused.
      const file = put(
        `in-${core.replace(/\W/g, '_')}.mjs`,
        source('any').replace('>=0.1.0 <1', core),
      );
      expect((await loadPlugin(file, root)).plugin.core).toBe(core);
    },
  );

  it('resolves packages through Yarn, if it is active', async () => {
    // Catches: a dependency that is in no node_modules reported as missing.
    put('cache/package.json', '{"name":"zipped","version":"1.0.0","main":"a.mjs"}');
    put('cache/a.mjs', source('zipped'));
    const resolveToUnqualified = (name: string, issuer: string): string => {
      if (name !== 'zipped' || issuer !== join(root, '/')) throw new Error(`undeclared ${name}`);
      return join(root, 'cache/');
    };
    Object.assign(module, { findPnpApi: () => ({ resolveToUnqualified }) });
    try {
      expect((await loadPlugin('zipped', root)).plugin.name).toBe('zipped');
      expect((await loadPlugin('linked', root)).plugin.name).toBe('main');
      expect(await failure('neither')).toContain('no such package');
    } finally {
      Reflect.deleteProperty(module, 'findPnpApi');
    }
  });

  it('times out on a plugin that never finishes loading', async () => {
    // Catches: a command that hangs on a plugin's top-level await.
    put('hangs.mjs', `await new Promise(() => {}); ${source('hangs')}`);
    vi.useFakeTimers();
    const message = failure('./hangs.mjs');
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    expect(await message).toContain('did not finish loading within 60 s; importing');
  });

  it('names the missing field of a plugin', async () => {
    // Catches: an incomplete plugin accepted, only to fail in a run.
    const faults: [string, string, string][] = [
      ['name', "name: 'x', version", 'needs a string "name"'],
      ['version', "version: '1.2.3',", 'needs a string "version"'],
      ['core', "core: '>=0.1.0 <1',", 'needs a string "core"'],
      ['components', 'components', 'needs a list "components"'],
      ['kind', "kind: 'strategy',", 'needs a string "kind"'],
      ['summary', "summary: 'For the test.',", 'needs a string "summary"'],
      ['options', "options: { type: 'object' },", 'needs "options"'],
      ['create', 'create', 'needs a function "create"'],
    ];
    for (const [name, broken, message] of faults) {
      const without =
        broken === "name: 'x', version" ? 'version' : broken.includes(':') ? '' : 'other';
      put(`${name}.mjs`, source('x').replace(broken, without));
      expect(await failure(`./${name}.mjs`)).toContain(message);
    }
    put('later.mjs', source('later').replace('>=0.1.0 <1', '>=7'));
    expect(await failure('./later.mjs')).toContain('requires @grok/core >=7');
    for (const [i, core] of ['banana', '', '>=0.1.0 banana'].entries()) {
      put(`range-${i}.mjs`, source('range').replace('>=0.1.0 <1', core));
      expect(await failure(`./range-${i}.mjs`)).toContain(
        `"core" must be a range such as ">=0.1.0 <1" or "*", got "${core}"`,
      );
    }
    for (const [i, core] of ['^0.2.0', '1', '0.2.x'].entries()) {
      put(`other-${i}.mjs`, source('other').replace('>=0.1.0 <1', core));
      expect(await failure(`./other-${i}.mjs`)).toContain(`requires @grok/core ${core}, this`);
    }
    put('kinds.mjs', source('kinds').replace("'strategy'", "'startegy'"));
    expect(await failure('./kinds.mjs')).toContain('unknown kind "startegy"');
  });
});

// In a Node process: the test runner treats every file as an ES module.
describe.skipIf(!existsSync(built))('a module as Node takes it (skipped without a build)', () => {
  const ask = `import(process.argv[1]).then(({ loadPlugin }) => loadPlugin(process.argv[2])).then(
    ({ plugin }) => console.log(plugin.name), (error) => console.log(error.message))`;
  const expected = (path: string): string =>
    execFileSync(
      process.execPath,
      ['--input-type=module', '--eval', ask, built, join(root, path)],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    ).trim();

  it('loads when a compiler turned it into CommonJS', () => {
    // Catches: the module's exports used as the plugin, as tsc writes them without "type":
    // "module".
    put('commonjs/package.json', '{"name":"cjs","version":"1.0.0","main":"dist/index.js"}');
    const mark = '"use strict"; Object.defineProperty(exports, "__esModule", { value: true });';
    const text = source('compiled').replace('export default', 'exports.default =');
    put('commonjs/dist/index.js', `${mark} ${text}`);
    expect(expected('commonjs')).toBe('compiled');
    put('plain.cjs', source('plain').replace('export default', 'module.exports ='));
    expect(expected('plain.cjs')).toBe('plain');
    put('empty.cjs', mark);
    expect(expected('empty.cjs')).toContain('has no default export');
  });

  it.each([
    ['esm/index.js', source('esm'), '"type": "module" in the package.json of'],
    ['esm/other.cjs', source('esm'), 'a .cjs file is CommonJS: rename it to .mjs'],
    ['mixed.mjs', `require('node:fs'); ${source('mixed')}`, 'use import and export default'],
    ['half.js', `require('node:fs'); ${source('mixed')}`, 'use import and export default'],
    [
      'peers.mjs',
      `throw new Error("it tried to access @grok/core (a peer dependency) but it isn't provided by your application")`,
      'yarn add @grok/core @grok/tfjs',
    ],
  ])('of the wrong kind gives advice: %s', (path, text, advice) => {
    // Catches: a bare `Unexpected token 'export'` that does not mention the package's CommonJS
    // setting.
    put('esm/package.json', '{"name":"esm","type":"commonjs"}');
    put(path, text);
    expect(expected(path)).toContain(advice);
  });
});
