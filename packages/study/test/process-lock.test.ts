/** Locks among processes: what a killed holder leaves behind must not have to be removed by hand. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock } from '../src/process.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grok-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const held = (stamp: string): void => writeFileSync(join(folder, '.lock'), stamp);

describe('takeLock', () => {
  it('names its holder, and leaves nothing behind', async () => {
    const release = await takeLock(folder, 0);
    expect(readFileSync(join(folder, '.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid}\\b`));
    release();
    expect(readdirSync(folder)).toEqual([]);
  });
  it('removes the folders that were made for it, but none that something is in', async () => {
    (await takeLock(join(folder, 'a', 'b'), 0))();
    expect(readdirSync(folder)).toEqual([]);
    const release = await takeLock(join(folder, 'c', 'd'), 0);
    writeFileSync(join(folder, 'c', 'kept'), '');
    release();
    expect(readdirSync(join(folder, 'c'))).toEqual(['kept']);
  });
  it('that cannot be written is an error of one line', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(takeLock(join(folder, 'file', 'x'), 0)).rejects.toThrow(/^cannot write into /);
  });
  it('is refused while its holder is alive', async () => {
    held(String(process.ppid));
    await expect(takeLock(folder, 0)).rejects.toThrow(
      `process ${process.ppid} works in it; wait for it or stop it`,
    );
    expect(readdirSync(folder)).toEqual(['.lock']);
  });
  it('is taken from a holder that has ended', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    held(String(pid));
    (await takeLock(folder, 0))();
    expect(existsSync(join(folder, '.lock'))).toBe(false);
  });
  it('is taken from what is no holder at all', async () => {
    // Catches: a study that waits for ever for a file that a full disk left empty.
    held('');
    (await takeLock(folder, 0))();
  });
  it.runIf(existsSync('/proc/self/stat'))(
    'is taken from one whose process id is a stranger’s now',
    async () => {
      held(`${process.ppid} 1`);
      (await takeLock(folder, 0))();
    },
  );
  it('is had as soon as it is let go', async () => {
    held(String(process.ppid));
    const next = takeLock(folder, 60);
    rmSync(join(folder, '.lock'));
    (await next)();
  });
});
