/** Leases among processes: what a killed holder leaves behind must not have to be removed by hand. */
import { execFile, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileStore } from '../../src/node/index.js';
import { holdStore } from '../../src/runs/lease.js';

const dist = fileURLToPath(new URL('../../dist/node/index.js', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grok-lease-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The lease of this process, as its file says it. */
async function ownStamp(): Promise<Record<string, unknown>> {
  const hold = await holdStore(fileStore(join(folder, 'own')));
  const lease = join(folder, 'own', '.lease-work');
  const stamps = readdirSync(lease).map((file) => readFileSync(join(lease, file), 'utf8'));
  await hold.release();
  return JSON.parse(stamps.join());
}
/** Leaves a lease behind, as another holder would. */
async function left(changes: Record<string, unknown>): Promise<string> {
  const stamp = JSON.stringify({ ...(await ownStamp()), ...changes });
  mkdirSync(join(folder, '.lease-work'));
  const file = join(folder, '.lease-work', 'theirs.json');
  writeFileSync(file, stamp);
  return file;
}
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

describe('a lease of a folder', () => {
  it('names its holder, and leaves nothing behind', async () => {
    const hold = await holdStore(fileStore(folder));
    await expect(holdStore(fileStore(folder))).rejects.toThrow(
      `${folder}: process ${process.pid} works in it; wait for it or stop it`,
    );
    await hold.release();
    expect(readdirSync(folder)).toEqual([]);
  });
  it('removes the folders that were made for it, but none that something is in', async () => {
    await (await holdStore(fileStore(join(folder, 'a', 'b')))).release();
    expect(readdirSync(folder)).toEqual([]);
    const hold = await holdStore(fileStore(join(folder, 'c', 'd')));
    writeFileSync(join(folder, 'c', 'kept'), '');
    await hold.release();
    expect(readdirSync(join(folder, 'c'))).toEqual(['kept']);
  });
  it('that cannot be written is an error of one line', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(holdStore(fileStore(join(folder, 'file', 'x')))).rejects.toThrow(/^cannot lock /);
  });
  it('is refused while its holder is alive, and had as soon as it is let go', async () => {
    await left({ pid: process.ppid, began: undefined });
    await expect(holdStore(fileStore(folder))).rejects.toThrow(`process ${process.ppid} works in`);
    const next = holdStore(fileStore(folder), 60);
    rmSync(join(folder, '.lease-work'), { recursive: true });
    await (await next).release();
  });
  it('is refused while its holder is on another machine, until its time is over', async () => {
    const file = await left({ pid: deadPid(), host: 'elsewhere' });
    await expect(holdStore(fileStore(folder))).rejects.toThrow('works in it');
    utimesSync(file, 0, 0);
    await (await holdStore(fileStore(folder))).release();
  });
  it('is taken from a holder that has ended', async () => {
    await left({ pid: deadPid() });
    await (await holdStore(fileStore(folder))).release();
    expect(existsSync(join(folder, '.lease-work'))).toBe(false);
  });
  it('is taken from an earlier process of the same id', async () => {
    // Catches: a container that is started again, and waits for itself.
    await left({});
    await (await holdStore(fileStore(folder))).release();
  });
  it.runIf(existsSync('/proc/self/stat'))(
    'is taken from one whose process id is a stranger’s now',
    async () => {
      await left({ pid: process.ppid, began: '1' });
      await (await holdStore(fileStore(folder))).release();
    },
  );
  it.each(['', '{', '{"pid":"x"}'])(
    'that reads %j is an error that names it (catches: a wait for ever)',
    async (text) => {
      mkdirSync(join(folder, '.lease-work'));
      writeFileSync(join(folder, '.lease-work', 'theirs.json'), text);
      await expect(holdStore(fileStore(folder), 60)).rejects.toThrow(
        `${join(folder, '.lease-work')}: cannot be read as a lease; remove it`,
      );
    },
  );
  it('whose take-over was cut short is an error that names it', async () => {
    await left({ pid: deadPid() });
    const marker = join(folder, '.lease-work.end-theirs');
    mkdirSync(marker);
    await expect(holdStore(fileStore(folder))).rejects.toThrow('works in it');
    utimesSync(marker, 0, 0);
    await expect(holdStore(fileStore(folder), 60)).rejects.toThrow(`${marker}: whoever ended`);
  });
});

describe.skipIf(!existsSync(dist))('eight processes and a stale lease', () => {
  it('work one at a time (catches: two that take one over, a new lease taken for the stale one)', async () => {
    await left({ pid: deadPid() });
    const script = `
      import { mkdir, rmdir } from 'node:fs/promises';
      const { fileStore } = await import(${JSON.stringify(pathToFileURL(dist).href)});
      const store = fileStore(${JSON.stringify(folder)});
      for (let turns = 0; turns < 10; ) {
        const lease = await store.lease('work', 60);
        if (!lease.granted) continue;
        await mkdir(${JSON.stringify(join(folder, 'inside'))}); // fails where another is inside
        await rmdir(${JSON.stringify(join(folder, 'inside'))});
        await lease.release();
        turns++;
      }`;
    const run = promisify(execFile);
    await Promise.all(
      Array.from({ length: 8 }, () =>
        run(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000 }),
      ),
    );
    expect(readdirSync(folder).filter((name) => name !== 'own')).toEqual([]);
  }, 90_000);
});
