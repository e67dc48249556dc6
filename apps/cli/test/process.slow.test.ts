/** The built command line as a process of its own: signals, pipes, and arguments through npm. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from './helpers.js';

const cli = join(root, 'apps/cli/dist/cli.js');
const dir = mkdtempSync(join(tmpdir(), 'grok-process-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
/** Runs the command line; `onOutput` sees the process whenever it has written something. */
function grok(
  argv: readonly string[],
  onOutput: (child: ChildProcess, out: string) => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, [cli, ...argv], { cwd: dir });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part) => {
    out += part;
    onOutput(child, out);
  });
  child.stderr.on('data', (part) => {
    err += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

describe.skipIf(!existsSync(cli))('the built command line', () => {
  const train = ['train', '--p', '23', '--dim', '32', '--epochs', '60'];
  it.each(['SIGINT', 'SIGTERM'] as const)('saves at %s, exits 130, and resumes', async (signal) => {
    // Catches: a signal that kills before the checkpoint is written, an event loop that never hears it.
    let sent = false;
    const stopped = await grok([...train, '--out', signal], (child, out) => {
      if (!sent && out.includes('epoch 3/60')) sent = child.kill(signal);
    });
    expect(stopped.code).toBe(130);
    expect(stopped.err).toContain(`grok: interrupted; go on with: grok resume ${signal}`);
    const resumed = await grok(['resume', signal, '--json']);
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.out)).toMatchObject({ status: 'finished', epochs: 60 });
  });
  it('ends quietly when its reader goes away', async () => {
    // Catches: `grok plugins | head -1` ending in a stack.
    const ended = await grok(['plugins'], (child) => child.stdout?.destroy());
    expect(ended).toMatchObject({ code: 0, err: '' });
  });
});
