/** Builds do not disturb running processes, tested in a temporary workspace whose bundler only copies. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { build } from '../scripts/build.mjs';

const home = fs.mkdtempSync(join(tmpdir(), 'grok-build-'));
afterAll(() => fs.rmSync(home, { recursive: true }));
let root = '';
let bundled = 0;

function write(path: string, text: string): void {
  fs.mkdirSync(dirname(join(root, path)), { recursive: true });
  fs.writeFileSync(join(root, path), text);
}
function bundle(folder: string): void {
  bundled++;
  for (const name of ['packages/a', 'apps/cli'])
    fs.cpSync(join(folder, name, 'src'), join(folder, name, 'dist'), { recursive: true });
}
const built = (): string => build(root, bundle);

beforeEach(() => {
  root = fs.mkdtempSync(join(home, 'workspace-'));
  bundled = 0;
  const top = ['LICENSE', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'tsconfig.base.json'];
  for (const file of [...top, 'tsdown.bundled.ts', 'tsdown.config.ts']) write(file, '');
  write('package.json', '{"type":"module"}');
  write('packages/a/package.json', '{"type":"module","exports":"./dist/index.js"}');
  write('packages/a/src/index.js', `export const told = 'first';`);
  write('apps/cli/package.json', '{"type":"module"}');
  // Starts, waits for a message, and only then loads the rest.
  write(
    'apps/cli/src/cli.js',
    `console.log('begun'); process.stdin.once('data', async () => {
      console.log((await import('a')).told, (await import('./late.js')).told); process.exit(0); });`,
  );
  write('apps/cli/src/late.js', `export const told = 'first';`);
  fs.mkdirSync(join(root, 'node_modules'));
  fs.mkdirSync(join(root, 'apps/cli/node_modules'));
  fs.symlinkSync('../../../packages/a', join(root, 'apps/cli/node_modules/a'));
});

test('a process that has loaded half of a build finds the other half of the same build', async () => {
  built();
  const child = spawn(process.execPath, [join(root, 'apps/cli/dist/cli.js')]);
  let out = '';
  let err = '';
  child.stderr.on('data', (part) => {
    err += part;
  });
  child.stdout.on('data', (part) => {
    out += part;
  });
  await once(child.stdout, 'data');
  write('packages/a/src/index.js', `export const told = 'second';`);
  write('apps/cli/src/late.js', `export const told = 'second';`);
  built();
  child.stdin.write('go on\n');
  const [code] = await once(child, 'close');
  expect([code, err, out]).toEqual([0, '', 'begun\nfirst first\n']);
  const now = fs.readFileSync(join(root, 'packages/a/dist/index.js'), 'utf8');
  expect(now).toContain('second');
});

test('nothing is built when nothing has changed, or when the same source was built before', () => {
  const first = built();
  expect(built()).toBe(first);
  fs.utimesSync(join(root, 'packages/a/src/index.js'), 1, 1); // as a checkout of the same text does
  expect([built(), bundled]).toEqual([first, 1]);
  write('packages/a/src/index.js', `export const told = 'second';`);
  expect([built() === first, bundled]).toEqual([false, 2]);
  write('packages/a/src/index.js', `export const told = 'first';`);
  expect([built(), bundled]).toEqual([first, 2]);
  write('packages/a/test/a.test.js', '');
  expect([built(), bundled]).toEqual([first, 2]);
  expect(fs.realpathSync(join(root, 'packages/a/dist'))).toBe(
    fs.realpathSync(join(first, 'packages/a/dist')),
  );
});

test('a failed build keeps the existing one, and is repeated', () => {
  const first = built();
  write('packages/a/src/index.js', 'no module');
  const failing = () =>
    build(root, () => {
      throw new Error('tsdown ended with 1');
    });
  expect(failing).toThrow('tsdown ended with 1');
  expect(failing).toThrow('tsdown ended with 1');
  expect(fs.realpathSync(join(root, '.build/current'))).toBe(fs.realpathSync(first));
  expect(fs.readdirSync(join(root, '.build')).sort()).toEqual(
    [first.slice(-16), 'current', 'stamp'].sort(),
  );
});

test('a `dist` folder of an earlier build system is replaced by the link', () => {
  write('packages/a/dist/index.js', 'old');
  write('packages/a/dist/chunk.js', 'old');
  built();
  expect(fs.readdirSync(join(root, 'packages/a/dist'))).toEqual(['index.js']);
});
