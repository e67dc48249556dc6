/** The built command line as a process of its own: signals, pipes, and arguments through npm. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
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
  onOutput: (child: ChildProcess, written: string) => void = () => {},
  stdout: 'pipe' | number = 'pipe',
): Promise<Ended> {
  const child = spawn(process.execPath, [cli, ...argv], {
    cwd: dir,
    stdio: ['pipe', stdout, 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout?.on('data', (part) => {
    out += part;
    onOutput(child, out + err);
  });
  child.stderr!.on('data', (part) => {
    err += part;
    onOutput(child, out + err);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

describe.skipIf(!existsSync(cli))('the built command line (skipped without a build)', () => {
  const train = ['train', '--p', '23', '--dim', '32', '--epochs', '60'];
  it.each(['SIGINT', 'SIGTERM'] as const)('saves at %s, exits 130, and resumes', async (signal) => {
    // Catches: a signal that kills before the checkpoint is written, an event loop that never hears it.
    let sent = false;
    const stopped = await grok([...train, '--out', signal], (child, written) => {
      if (!sent && written.includes('epoch 6/60')) sent = child.kill(signal);
    });
    expect(stopped.code).toBe(130);
    expect(stopped.err).toContain(`grok: interrupted; continue with: grok resume ${signal}`);
    const resumed = await grok(['resume', signal, '--json']);
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.out)).toMatchObject({ status: 'finished', epochs: 60 });
  });
  it.each([
    ['SIGINT', 'a terminal’s group'],
    ['SIGTERM', 'a terminal’s group'],
    ['SIGINT', 'it alone'],
    ['SIGTERM', 'it alone'],
  ] as const)('is stopped by a second %s to %s, whatever keeps its thread', async (signal, to) => {
    if (to === 'it alone' && process.platform !== 'linux') return; // only there it can be seen
    // Catches: code that never returns in a process that hears no signal.
    const plugin = join(dir, 'endless.mjs');
    writeFileSync(
      plugin,
      `export default { name: 'endless', version: '1.0.0', core: '*', components: [{ kind: 'strategy',
        name: 'endless', summary: 'Endless.', options: {}, create: () => { process.stderr.write('begun'); for (;;); } }] };`,
    );
    const term = 'objective=[{"use":"endless"}]';
    const argv = [cli, 'train', '--plugin', plugin, '--set', term, '--out', 'endless'];
    const child = spawn(process.execPath, argv, {
      cwd: dir,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(child, 'close');
    let err = '';
    child.stderr.on('data', (part) => {
      err += part;
    });
    await once(child.stderr, 'data'); // it has begun never to return
    await setTimeout(1500); // the process beside it must have seen that, too
    const { pid = 0 } = child;
    for (const _ of [1, 2]) {
      process.kill(to === 'it alone' ? pid : -pid, signal);
      await setTimeout(100); // two signals at once are one
    }
    const how = await ended;
    expect(err).toContain('grok: did not respond and was stopped\n');
    expect(how).toEqual([null, 'SIGKILL']);
  });
  it('ends quietly when its reader goes away', async () => {
    // Catches: `grok plugins | head -1` ending in a stack.
    const ended = await grok(['plugins'], (child) => child.stdout?.destroy());
    expect(ended).toMatchObject({ code: 0, err: '' });
  });
  const readStatus = (run: string): unknown =>
    JSON.parse(readFileSync(join(dir, run, 'manifest.json'), 'utf8')).status;
  it('stops a run whose reader goes away as Ctrl-C does', async () => {
    // Catches: `grok train | head -1` that leaves a run "running", without a checkpoint, with exit code 0.
    const ended = await grok([...train, '--out', 'piped'], (child) => child.stdout?.destroy());
    expect(ended.code).toBe(130);
    expect(ended.err).toBe('grok: interrupted; continue with: grok resume piped\n');
    expect(readStatus('piped')).toBe('interrupted');
    const json = [...train, '--out', 'json', '--json'];
    const result = await grok(json, (child) => child.stderr?.destroy());
    expect(result.code).toBe(130);
    expect(JSON.parse(result.out)).toMatchObject({ status: 'interrupted' });
    expect(readStatus('json')).toBe('interrupted');
  });
  it.skipIf(!existsSync('/dev/full'))(
    'says in a line that stdout is full (skipped without /dev/full)',
    async () => {
      // Catches: a stack trace.
      const full = openSync('/dev/full', 'w');
      const listed = await grok(['plugins'], undefined, full);
      expect([listed.code, listed.err]).toEqual([
        1,
        expect.stringMatching(/^grok: cannot write to stdout: ENOSPC[^\n]+\n$/),
      ]);
      const run = await grok([...train, '--out', 'full'], undefined, full);
      expect(run.code).toBe(1);
      expect(run.err).not.toContain('    at ');
      expect(readStatus('full')).toBe('interrupted');
    },
  );
});
