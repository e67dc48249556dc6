/** Leases among processes: a lease left by a killed holder must never need manual removal. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { InputError, isInputError, RunError, type Store } from '@grok/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fileStore } from '../../src/node/index.js';
import { holdStore, whileHeld } from '../../src/runs/lease.js';

const dist = fileURLToPath(new URL('../../dist/node/index.js', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grok-lease-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The stamp of this process, as its lease file has it. */
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
  it('names its holder and leaves no files behind', async () => {
    const hold = await holdStore(fileStore(folder));
    await expect(holdStore(fileStore(folder))).rejects.toThrow(
      `${folder}: in use by process ${process.pid}; wait until it ends or stop it`,
    );
    await hold.release();
    expect(readdirSync(folder)).toEqual([]);
  });
  it('is taken by exactly one of several concurrent callers in one process', async () => {
    // Catches: a lease in place that its own process does not know yet, ended by another caller.
    const store = fileStore(folder);
    for (let round = 0; round < 40; round++) {
      expect((await store.lease('work', 0.001)).granted).toBe(true);
      await new Promise((done) => setTimeout(done, 20));
      const answers = await Promise.all(Array.from({ length: 24 }, () => store.lease('work', 60)));
      const granted = answers.flatMap((it) => (it.granted ? [it] : []));
      expect(granted, `round ${round}`).toHaveLength(1);
      for (const lease of granted) await lease.release();
    }
  });
  it('removes the folders it created, but only if they are empty', async () => {
    await (await holdStore(fileStore(join(folder, 'a', 'b')))).release();
    expect(readdirSync(folder)).toEqual([]);
    const hold = await holdStore(fileStore(join(folder, 'c', 'd')));
    writeFileSync(join(folder, 'c', 'kept'), '');
    await hold.release();
    expect(readdirSync(join(folder, 'c'))).toEqual(['kept']);
  });
  it('reports a failed write in one line', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(holdStore(fileStore(join(folder, 'file', 'x')))).rejects.toThrow(/^cannot lock /);
  });
  it('is refused while its holder is alive, and available once released', async () => {
    await left({ pid: process.ppid, began: undefined });
    await expect(holdStore(fileStore(folder))).rejects.toThrow(`in use by process ${process.ppid}`);
    const next = holdStore(fileStore(folder), 60);
    rmSync(join(folder, '.lease-work'), { recursive: true });
    await (await next).release();
  });
  it.each([
    ['on another machine', { host: 'elsewhere' }, 'on elsewhere'],
    ['from before the machine was started again', { boot: 'earlier' }, 'on '],
    ['in another container', { space: 'pid:[1]' }, 'of another container on '],
  ])(
    'is refused while its holder is %s, until it expires (catches: a live lease stolen)',
    async (_, changes, where) => {
      const pid = deadPid();
      const file = await left({ pid, ...changes });
      await expect(holdStore(fileStore(folder))).rejects.toThrow(`process ${pid} ${where}`);
      utimesSync(file, 0, 0);
      await (await holdStore(fileStore(folder))).release();
    },
  );
  it.runIf(existsSync('/proc/self/stat'))(
    'is kept by a process that is seen to run, however long it was stopped (skipped without /proc)',
    async () => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      const { pid } = child;
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
      const file = await left({ pid, began });
      utimesSync(file, 0, 0);
      await expect(holdStore(fileStore(folder))).rejects.toThrow(`in use by process ${pid}`);
      child.kill('SIGKILL');
      await once(child, 'close');
      await (await holdStore(fileStore(folder))).release();
    },
  );
  it('uses the file system’s clock (catches: machines whose clocks differ)', async () => {
    const lease = await fileStore(folder).lease('work', 60);
    if (!lease.granted) throw new Error('it is free');
    const [name = ''] = readdirSync(join(folder, '.lease-work'));
    const file = join(folder, '.lease-work', name);
    const text = readFileSync(file, 'utf8');
    utimesSync(file, 0, 0);
    vi.useFakeTimers({ now: 0, toFake: ['Date'] });
    await lease.renew();
    vi.useRealTimers();
    expect(Date.now() - statSync(file).mtimeMs).toBeLessThan(60_000);
    expect(readFileSync(file, 'utf8')).toBe(text);
    await lease.release();
  });
  it('is taken from a holder that has exited', async () => {
    await left({ pid: deadPid() });
    await (await holdStore(fileStore(folder))).release();
    expect(existsSync(join(folder, '.lease-work'))).toBe(false);
  });
  it('is taken from an earlier process with the same id', async () => {
    // Catches: a restarted container that waits for itself.
    await left({});
    await (await holdStore(fileStore(folder))).release();
  });
  it.runIf(existsSync('/proc/self/stat'))(
    'is taken from one whose process id is a stranger’s now (skipped without /proc)',
    async () => {
      await left({ pid: process.ppid, began: '1' });
      await (await holdStore(fileStore(folder))).release();
    },
  );
  it.each(['', '{', '{"pid":"x"}'])(
    'is an error that names it when it reads %j (catches: waiting forever)',
    async (text) => {
      mkdirSync(join(folder, '.lease-work'));
      writeFileSync(join(folder, '.lease-work', 'theirs.json'), text);
      await expect(holdStore(fileStore(folder), 60)).rejects.toThrow(
        `${join(folder, '.lease-work')}: not a readable lease; remove it`,
      );
    },
  );
  it.each([
    ['a file', (path: string) => writeFileSync(path, '{}')],
    ['a dangling link', (path: string) => symlinkSync('nowhere', path)],
    [
      'a folder of something else',
      (path: string) => mkdirSync(join(path, 'x'), { recursive: true }),
    ],
    [
      'a folder in its place',
      (path: string) => mkdirSync(join(path, 'x.json'), { recursive: true }),
    ],
  ])('is an error that names it when %s is in its place', async (_, make) => {
    const path = join(folder, '.lease-work');
    make(path);
    await expect(holdStore(fileStore(folder), 60)).rejects.toThrow(
      `${path}: not a readable lease; remove it`,
    );
  });
  it('is taken after takers that were killed halfway, and removes what they left', async () => {
    const stamp = JSON.stringify({ ...(await ownStamp()), pid: deadPid() });
    mkdirSync(join(folder, '.lease-work'));
    for (const token of ['dead', 'old']) {
      mkdirSync(join(folder, `.lease-work.new-${token}`));
      writeFileSync(join(folder, `.lease-work.new-${token}`, `${token}.json`), stamp);
    }
    await (await holdStore(fileStore(folder))).release();
    expect(readdirSync(folder)).toEqual([]);
  });
  it('is taken after takers killed before they wrote a stamp; their leftovers are removed once old', async () => {
    // Catches: a folder left forever by each such kill.
    for (const token of ['new', 'old']) {
      const candidate = join(folder, `.lease-work.new-${token}`);
      mkdirSync(candidate);
      writeFileSync(join(candidate, `${token}.json`), '');
      if (token === 'old') utimesSync(candidate, 0, 0);
    }
    await (await holdStore(fileStore(folder), 60)).release();
    expect(readdirSync(folder)).toEqual(['.lease-work.new-new']);
  });
});

describe('holding a folder', () => {
  it('blocks writes once another process has the lease (catches: two writers)', async () => {
    const store = fileStore(folder);
    const hold = await holdStore(store);
    await hold.store.write('config.json', Uint8Array.of(1));
    rmSync(join(folder, '.lease-work'), { recursive: true });
    vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ['Date'] });
    for (const write of [
      () => hold.store.write('config.json', Uint8Array.of(2)),
      () => hold.store.append('metrics.jsonl', Uint8Array.of(2)),
      () => hold.store.truncate('config.json', 0),
      () => hold.store.remove('config.json'),
    ])
      await expect(write()).rejects.toThrow('expired and was taken over by another process');
    vi.useRealTimers();
    expect(hold.lost.aborted).toBe(true);
    expect(readFileSync(join(folder, 'config.json'))).toEqual(Buffer.of(1));
    await hold.release();
  });
  it('reports both the failure and the failed release', async () => {
    // Catches: a read-only file system reported only as "unlink .lease-work".
    const store: Store = {
      ...fileStore(folder),
      lease: async () => ({
        granted: true,
        renew: async () => {},
        release: async () => {
          throw new RunError('cannot unlock it');
        },
      }),
    };
    const fail = async (): Promise<never> => {
      throw new InputError('this is wrong', { code: 'x' });
    };
    const error = await whileHeld(store, fail).catch((reason: unknown) => reason);
    expect(isInputError(error) && [error.message, error.code]).toEqual([
      'this is wrong; besides, cannot unlock it',
      'x',
    ]);
    await expect(whileHeld(store, async () => 1)).rejects.toThrow(/^cannot unlock it$/);
  });
});

describe.skipIf(!existsSync(dist))(
  'eight processes and a stale lease (skipped without a build)',
  () => {
    it('work one at a time (catches: two that take one over; a new lease taken for the stale one)', async () => {
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
  },
);
