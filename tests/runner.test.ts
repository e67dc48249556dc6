/** The test runner reports correctly: its last line, its exit code, and console output in tests. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Runs vitest on temporary files, with this project's reporter and setup. */
function run(files: Record<string, string>): { status: number | null; last: string; out: string } {
  mkdirSync(`${root}.tsc`, { recursive: true });
  const folder = mkdtempSync(`${root}.tsc/runner-`);
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
  const config = {
    test: {
      include: ['*.test.js'],
      reporters: ['default', `${root}scripts/plain-reporter.mjs`],
      setupFiles: [`${root}tests/setup.ts`],
    },
  };
  writeFileSync(`${folder}/vitest.config.js`, `export default ${JSON.stringify(config)};`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`${root}node_modules/vitest/vitest.mjs`, 'run'],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
  return { status, last: stdout.trimEnd().split('\n').at(-1) ?? '', out: stdout + stderr };
}

// Catches: a summary that hides failures, files that do not load, or errors outside tests.
test('failures of every kind are counted, and set the exit code', () => {
  const { status, last, out } = run({
    'a.test.js': `import { describe, test, afterAll } from 'vitest';
      test('passes', () => {});
      test('fails', () => { throw new Error('no'); });
      test.skip('is skipped', () => {});
      test('warns', () => console.warn('careful'));
      test('is silent again', () => {});
      describe('suite', () => { test('passes', () => {}); afterAll(() => { throw new Error('late'); }); });`,
    'b.test.js': `import './missing.js';`,
    'c.test.js': `import { test } from 'vitest'; console.error('while loading'); test('x', () => {});`,
  });
  expect(status, out).toBe(1);
  expect(out).toContain('console.warn: careful');
  expect(last, out).toBe('3 passed, 5 failed, 1 skipped');
});

// Catches: tfjs notices that fail every test; output after the last line.
test('a clean run ends with the summary line and exit code 0', () => {
  const { status, last, out } = run({
    'a.test.js': `import { expect, test, vi } from 'vitest';
      test('notice', () => console.warn('Platform node has already been set. Overwriting'));
      test('expected', () => {
        const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
        console.warn('expected');
        expect(warn).toHaveBeenCalledOnce();
        warn.mockRestore();
      });`,
  });
  expect(last, out).toBe('2 passed, 0 failed');
  expect(status).toBe(0);
});
