/** Failures that a file store must survive: full disks, missing permissions, kills, leftovers. */
import { spawnSync } from 'node:child_process';
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunError } from '@grok/core';
import { fileStore, peakMemoryBytes } from '@grok/core/node';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';

/** The injected file system fault: an operation and its error. */
const fault = { op: '', code: '', log: [] as string[], paths: new Map<number, string>() };
const trap = (op: string): void => {
  if (fault.op === op)
    throw Object.assign(new Error(`${fault.code}: from the test`), { code: fault.code });
};
const { fsync } = fs;
const { open, rename } = fs.promises;
const spies = [
  vi.spyOn(fs, 'fsync').mockImplementation((fd, done) => {
    try {
      trap('sync');
    } catch (error) {
      return done(error as NodeJS.ErrnoException);
    }
    const name = fault.paths.get(fd)?.split('/').at(-1) ?? '';
    fault.log.push(`sync ${name.replace(/^\.tmp-\d+-\d+-/, 'new ')}`);
    fsync(fd, done);
  }),
  vi.spyOn(fs.promises, 'rename').mockImplementation(async (from, to) => {
    trap('rename');
    fault.log.push(`rename ${String(to).split('/').at(-1)}`);
    return rename(from, to);
  }),
  vi.spyOn(fs.promises, 'open').mockImplementation(async (path, flags) => {
    trap('open');
    const handle = await open(path, flags);
    const { writeFile } = handle;
    handle.writeFile = async (data) => {
      if (fault.op === 'writeFile') await writeFile.call(handle, (data as Uint8Array).slice(0, 3));
      trap('writeFile');
      return writeFile.call(handle, data);
    };
    fault.paths.set(handle.fd, String(path));
    // as in Yarn's Plug'n'Play
    handle.sync = () => Promise.reject(new Error('Method not implemented.'));
    return handle;
  }),
];
// also replaces bindings that were imported by name
syncBuiltinESMExports();
afterAll(() => {
  for (const spy of spies) spy.mockRestore();
  syncBuiltinESMExports();
});

const root = mkdtempSync(join(tmpdir(), 'grok-files-'));
afterAll(() => rmSync(root, { recursive: true }));
let dir = '';
beforeEach(({ task }) => {
  dir = join(root, task.id);
  Object.assign(fault, { op: '', code: '', log: [] });
});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const failure = async (action: Promise<unknown>): Promise<Error> => {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isRunError(error)).toBe(true);
  return error as Error;
};

describe('file store', () => {
  it('needs no hard links, which exFAT and many network folders lack', async () => {
    // Catches: a file put in place, or a lease taken, with a hard link.
    const refuse = () => {
      throw Object.assign(new Error('EPERM: from the test'), { code: 'EPERM' });
    };
    const links = [
      vi.spyOn(fs.promises, 'link').mockImplementation(async () => refuse()),
      vi.spyOn(fs, 'link').mockImplementation(refuse),
      vi.spyOn(fs, 'linkSync').mockImplementation(refuse),
    ];
    syncBuiltinESMExports();
    try {
      const store = fileStore(dir);
      await store.write('config.json', bytes('{}'));
      await store.append('metrics.jsonl', bytes('{}\n'));
      const lease = await store.lease('work', 60);
      expect(lease.granted).toBe(true);
      expect((await fileStore(dir).lease('work', 60)).granted).toBe(false);
      if (lease.granted) await lease.release();
      expect(await store.read('config.json')).toEqual(bytes('{}'));
    } finally {
      for (const spy of links) spy.mockRestore();
      syncBuiltinESMExports();
    }
  });
  it.each([
    ['writeFile', 'ENOSPC', 'the disk is full; free some space and resume (ENOSPC)'],
    ['sync', 'EIO', 'EIO: from the test'],
    ['rename', 'EACCES', 'permission denied; make the folder writable'],
    ['open', 'EROFS', 'the file system is read-only; use another folder (EROFS)'],
  ])('keeps the old file when %s fails with %s', async (op, code, advice) => {
    // Catches: a half-written file in place of the old one, a temporary file left on a full disk, a
    // raw errno.
    const store = fileStore(dir);
    await store.write('checkpoints/a', bytes('the old file'));
    Object.assign(fault, { op, code });
    const error = await failure(store.write('checkpoints/a', bytes('the new file')));
    expect(error.message).toContain(`cannot write ${join(dir, 'checkpoints/a')}: ${advice}`);
    expect((error.cause as { code: string }).code).toBe(code);
    fault.op = '';
    expect(readFileSync(join(dir, 'checkpoints/a'), 'utf8')).toBe('the old file');
    expect(readdirSync(join(dir, 'checkpoints'))).toEqual(['a']);
    await store.write('checkpoints/a', bytes('the new file'));
    expect(readFileSync(join(dir, 'checkpoints/a'), 'utf8')).toBe('the new file');
  });

  it.skipIf(!existsSync('/dev/full'))(
    'tells of a disk that is really full (skipped without /dev/full)',
    async () => {
      // Catches: an append whose error is lost.
      mkdirSync(dir);
      symlinkSync('/dev/full', join(dir, 'metrics.jsonl'));
      const error = await failure(fileStore(dir).append('metrics.jsonl', bytes('row\n')));
      expect(error.message).toBe(
        `cannot write ${join(dir, 'metrics.jsonl')}: the disk is full; free some space and resume (ENOSPC)`,
      );
    },
  );

  it('reports a file in the way of a folder', async () => {
    // Catches: "EEXIST: mkdir" shown to the user. A file given as a run folder must read as no run.
    mkdirSync(dir);
    writeFileSync(join(dir, 'run'), '');
    const store = fileStore(join(dir, 'run'));
    expect((await failure(store.write('config.json', bytes('{}')))).message).toMatch(
      /is in the way|is a file/,
    );
    expect((await failure(store.write('a/b', bytes('{}')))).message).toMatch(
      /is in the way|is a file/,
    );
    expect(await store.read('config.json')).toBeUndefined();
    expect(await store.list('checkpoints')).toEqual([]);
    mkdirSync(join(dir, 'other/config.json'), { recursive: true });
    const other = fileStore(join(dir, 'other'));
    expect((await failure(other.read('config.json'))).message).toContain(
      'a folder with the file’s name',
    );
  });

  it('syncs the bytes before the name, and earlier appends before both', async () => {
    // Catches: after a power cut, an empty file under the new name, or a checkpoint ahead of its
    // metrics.
    const store = fileStore(dir);
    await store.append('metrics.jsonl', bytes('row\n'));
    fault.log = [];
    await store.write('config.json', bytes('{}'));
    const folder = dir.split('/').at(-1);
    expect(fault.log).toEqual([
      'sync metrics.jsonl',
      `sync ${folder}`, // otherwise its name may be lost although its bytes are there
      'sync new config.json',
      'rename config.json',
      `sync ${folder}`,
    ]);
    fault.log = [];
    await store.write('checkpoints/a', bytes('{}'));
    expect(fault.log).toEqual([`sync ${folder}`, 'sync new a', 'rename a', 'sync checkpoints']);
  });

  it('does not recreate a folder that disappeared (catches: a run that finishes in an empty folder)', async () => {
    const store = fileStore(dir);
    await store.append('metrics.jsonl', bytes('row\n'));
    renameSync(dir, `${dir}-elsewhere`);
    for (const write of [
      () => store.write('config.json', bytes('{}')),
      () => store.append('metrics.jsonl', bytes('row\n')),
    ])
      expect((await failure(write())).message).toContain(
        `${dir}: no longer exists; it was removed or renamed during the run`,
      );
    expect(existsSync(dir)).toBe(false);
  });

  it('ignores and removes leftovers of killed processes, but not files being written by others', async () => {
    // Catches: half a checkpoint listed as one; disks that fill up with leftovers; a live writer's
    // file removed.
    const dead = spawnSync(process.execPath, ['-e', 'console.log(process.pid)']).stdout.toString();
    const names = {
      dead: `.tmp-${dead.trim()}-0-step-000900.safetensors`,
      parent: `.tmp-${process.ppid}-0-step-000900.safetensors`,
      own: `.tmp-${process.pid}-999-step-000900.safetensors`,
      former: `.tmp-${process.pid}-998-step-000900.safetensors`,
    };
    mkdirSync(join(dir, 'checkpoints'), { recursive: true });
    for (const name of Object.values(names)) writeFileSync(join(dir, 'checkpoints', name), 'half');
    utimesSync(join(dir, 'checkpoints', names.former), 1000, 1000);
    const store = fileStore(dir);
    expect(await store.list('checkpoints')).toEqual([]);
    await store.write('checkpoints/a', bytes('whole'));
    expect(readdirSync(join(dir, 'checkpoints')).sort()).toEqual(
      [names.own, names.parent, 'a'].sort(),
    );
    expect(await store.list('checkpoints')).toEqual(['a']);
  });
});

describe('peakMemoryBytes', () => {
  it('is in bytes', () => {
    // Catches: kilobytes reported as bytes.
    expect(peakMemoryBytes()).toBeGreaterThan(20e6);
    expect(peakMemoryBytes()).toBeGreaterThanOrEqual(process.memoryUsage().rss * 0.5);
  });
});
