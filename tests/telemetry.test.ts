/** Nothing phones home: a run leaves nothing in the home folder, and all code that loads onnxruntime-node turns telemetry off. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { readTree } from './architecture/files.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'apps/cli/dist/cli.js');
const dir = mkdtempSync(join(tmpdir(), 'grok-telemetry-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.skipIf(!existsSync(cli))('the built command line (skipped without a build)', () => {
  test('leaves a fresh home and temporary folder empty', () => {
    // Catches: a library's device id, database or log, written at its first run.
    const [home, temporary] = ['home', 'tmp'].map((name) => join(dir, name)) as [string, string];
    for (const folder of [home, temporary]) mkdirSync(folder);
    const run = ['train', '--p', '7', '--dim', '8', '--epochs', '2', '--backend', 'onnx'];
    execFileSync(process.execPath, [cli, ...run, '--quiet', '--out', join(dir, 'run')], {
      cwd: dir,
      stdio: 'pipe',
      // No other variables of this environment, since libraries behave differently in CI or when a
      // variable disables telemetry.
      env: { HOME: home, TMPDIR: temporary, TEMP: temporary, USERPROFILE: home },
    });
    for (const folder of [home, temporary])
      expect(readdirSync(folder, { recursive: true })).toEqual([]);
  });
});

test('every file that loads onnxruntime-node turns its telemetry off', () => {
  // Catches: a benchmark or a script that loads it directly.
  const loads =
    /(import|require|near)\(\s*'onnxruntime-node'\s*\)|^import (?!type).*'onnxruntime-node'/m;
  const says = /ORT_DISABLE_TELEMETRY|disableTelemetry\(/;
  const loading = readTree(root).filter(
    ({ path, text }) => /\.m?[jt]sx?$/.test(path) && loads.test(text),
  );
  expect(loading.map(({ path }) => path)).toContain('packages/backend-onnx/src/native.node.ts');
  expect(loading.filter(({ text }) => !says.test(text)).map(({ path }) => path)).toEqual([]);
});
