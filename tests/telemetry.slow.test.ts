/**
 * Nothing phones home, checked at the system level: a process that has loaded the backend opens no
 * socket for longer than onnxruntime waits before sending (it resolves its host after nine seconds,
 * seen in 1.30).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = existsSync(join(root, 'packages/backend-onnx/dist/index.js'));
const traces = spawnSync('strace', ['-V']).status === 0;
const SCRIPT = `
  import { onnx } from '@grok/backend-onnx';
  const backend = await onnx({ threads: 1 });
  setTimeout(() => backend.dispose(), 15_000);`;

test.skipIf(!built || !traces)('opens no socket (needs strace and a build)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'grok-sockets-'));
  const file = join(dir, 'trace');
  const { status, stderr } = spawnSync(
    'strace',
    [
      ...['-f', '-e', 'trace=socket,connect,execve', '-o', file],
      ...[process.execPath, '--input-type=module', '--eval', SCRIPT],
    ],
    { cwd: root, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: dir, TMPDIR: dir } },
  );
  expect(status, stderr).toBe(0);
  const calls = readFileSync(file, 'utf8');
  rmSync(dir, { recursive: true });
  // Catches: a trace that recorded nothing.
  expect(calls).toContain('execve(');
  expect(calls.split('\n').filter((line) => /AF_INET|AF_UNIX/.test(line))).toEqual([]);
});
