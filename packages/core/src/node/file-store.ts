/**
 * A store in a folder of the file system. A file is replaced by writing a temporary one beside it,
 * syncing, renaming, and syncing the folder: after a power cut there is the old file or the new one.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { RunError } from '../contracts/errors.js';
import { bytesOf } from '../contracts/hash.js';
import type { Store } from '../contracts/types.js';
import { checkPath } from '../runs/memory-store.js';

// `.tmp-<process>-<count>-<name>`: other processes can tell whose it is.
const TEMPORARY = /^\.tmp-(\d+)-\d+-/;

let count = 0;

/** A store in `dir`, which is made at the first write; its methods throw `RunError`. */
export function fileStore(dir: string): Store {
  const appended = new Set<string>(); // files whose last bytes are not synced yet
  const tidied = new Map<string, Promise<void>>();
  const fileOf = (path: string): string => join(dir, checkPath(path));

  /** Makes a folder, and once removes what dead processes left there. */
  async function prepare(folder: string): Promise<void> {
    await makeFolder(folder);
    if (!tidied.has(folder)) tidied.set(folder, removeLeftovers(folder));
    await tidied.get(folder);
  }

  return {
    where: dir,
    async read(path) {
      const file = fileOf(path);
      const bytes = await told('read', file, () => unlessMissing(() => readFile(file)));
      return bytes === undefined ? undefined : bytesOf(bytes); // no Buffer: its slice is no copy
    },
    async write(path, bytes) {
      const file = fileOf(path);
      const folder = dirname(file);
      await told('write', file, async () => {
        await prepare(folder);
        for (const earlier of [...appended]) {
          await unlessMissing(() => syncFile(earlier));
          appended.delete(earlier);
        }
        const temporary = join(folder, `.tmp-${process.pid}-${count++}-${path.split('/').at(-1)}`);
        try {
          const handle = await open(temporary, 'w');
          try {
            await handle.writeFile(bytes);
            await handle.sync();
          } finally {
            await handle.close();
          }
          await rename(temporary, file);
        } catch (error) {
          await rm(temporary, { force: true }).catch(() => {});
          throw error;
        }
        await syncFolder(folder);
      });
    },
    async append(path, bytes) {
      const file = fileOf(path);
      await told('write', file, async () => {
        await prepare(dirname(file));
        const handle = await open(file, 'a');
        try {
          await handle.appendFile(bytes);
        } finally {
          await handle.close();
        }
        appended.add(file);
      });
    },
    async truncate(path, length) {
      const file = fileOf(path);
      const cut = async (): Promise<void> => {
        if ((await stat(file)).size <= length) return;
        await truncate(file, length);
        await syncFile(file);
      };
      await told('write', file, () => unlessMissing(cut));
    },
    async list(folder) {
      const path = folder === '' ? dir : fileOf(folder);
      const entries = await told('read', path, () =>
        unlessMissing(() => readdir(path, { withFileTypes: true })),
      );
      return (entries ?? [])
        .filter((entry) => !entry.isDirectory() && !TEMPORARY.test(entry.name))
        .map((entry) => entry.name)
        .sort();
    },
    async remove(path) {
      const file = fileOf(path);
      await told('remove', file, () => rm(file, { force: true }));
    },
  };
}

/**
 * Makes a folder and those above it, each synced into its parent, so that a synced file in it lasts.
 * One by one: Node 20's recursive `mkdir` never returns under `/proc`.
 */
async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = [];
  for (
    let at = resolve(folder);
    (await unlessMissing(() => stat(at))) === undefined;
    at = dirname(at)
  )
    missing.unshift(at);
  for (const path of missing) {
    await mkdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error; // another process was quicker
    });
    await syncFolder(dirname(path));
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const owner = Number(TEMPORARY.exec(name)?.[1] ?? Number.NaN);
    const file = join(folder, name);
    if (!Number.isNaN(owner) && !(await inUse(file, owner))) await rm(file, { force: true });
  }
}

/** Whether its process may still be writing; in containers an earlier process often had our own id. */
async function inUse(file: string, owner: number): Promise<boolean> {
  if (owner === process.pid) {
    const written = await unlessMissing(() => stat(file));
    return (written?.mtimeMs ?? 0) >= Date.now() - process.uptime() * 1000;
  }
  try {
    return process.kill(owner, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
/** Makes a rename last; systems that cannot open or sync a folder do without. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

async function unlessMissing<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space and resume',
  EDQUOT: 'the quota is used up; free some space and resume',
  EFBIG: 'the file is larger than this system allows; raise the limit (ulimit -f) and resume',
  EACCES: 'there is no permission; make the folder writable or use another one',
  EPERM: 'the system does not permit it; make the folder writable or use another one',
  EROFS: 'the file system is read-only; use another folder',
  ENOTDIR: 'a part of the path is a file, not a folder; use another folder',
  EEXIST: 'a file of the name of its folder is in the way; use another folder',
  EISDIR: 'a folder of that name is in the way; remove it or use another folder',
  EMFILE: 'too many files are open; raise the limit (ulimit -n) and resume',
};

async function told<T>(verb: string, file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const advice = ADVICE[code];
    throw new RunError(
      `cannot ${verb} ${file}: ${advice === undefined ? message : `${advice} (${code})`}`,
      { cause: error },
    );
  }
}
