/**
 * A store in a folder of the file system. A file is replaced by writing a temporary file beside it,
 * syncing, renaming, and syncing the folder: after a power cut either the old or the new file is
 * there.
 */
import { open, readdir, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RunError } from '../contracts/errors.js';
import { viewBytes } from '../contracts/hash.js';
import type { Store } from '../contracts/types.js';
import { checkLeaseName } from '../runs/lease.js';
import { checkPath } from '../runs/memory-store.js';
import { fileLease } from './file-lease.js';
import {
  explainFailure,
  goneFolder,
  makeFolder,
  syncFile,
  syncFolder,
  syncHandle,
  unlessMissing,
} from './file-system.js';

// `.tmp-<process>-<count>-<name>`, so that other processes can tell the owner.
const TEMPORARY = /^\.tmp-(\d+)-\d+-/;

let count = 0;

/**
 * A store in `dir`, which is created at the first write; later writes fail if it is gone. Its methods throw
 * `RunError`.
 */
export function fileStore(dir: string): Store {
  const appended: Appended = new Map();
  const inTurn = oneAtATime();
  let isMade = false;
  const tidied = new Map<string, Promise<void>>();
  const resolvePath = (path: string): string => join(dir, checkPath(path));

  /** Creates a folder and, the first time, removes what dead processes left there. */
  async function prepare(folder: string): Promise<void> {
    // Not compared by inode: some systems change a folder's inode while it is in use.
    if (isMade && (await unlessMissing(() => stat(dir))) === undefined)
      throw new RunError(goneFolder(dir));
    await makeFolder(folder);
    isMade = true;
    if (!tidied.has(folder)) tidied.set(folder, removeLeftovers(folder));
    await tidied.get(folder);
  }

  return {
    where: dir,
    async read(path) {
      const file = resolvePath(path);
      const bytes = await explainFailure('read', file, () => unlessMissing(() => readFile(file)));
      return bytes === undefined ? undefined : viewBytes(bytes); // not a Buffer, whose `slice` does not copy
    },
    async write(path, bytes) {
      const file = resolvePath(path);
      await explainFailure('write', file, async () => {
        await prepare(dirname(file));
        await inTurn(async () => {
          await syncAppended(appended);
          await replaceFile(file, bytes);
          await syncFolder(dirname(file));
        });
      });
    },
    async append(path, bytes) {
      const file = resolvePath(path);
      await explainFailure('write', file, async () => {
        await prepare(dirname(file));
        const handle = await open(file, 'a');
        try {
          const isNew = (await handle.stat()).size === 0;
          if (!appended.has(file) || isNew) appended.set(file, isNew ? 'new' : 'old');
          await handle.appendFile(bytes);
        } finally {
          await handle.close();
        }
      });
    },
    async truncate(path, length) {
      const file = resolvePath(path);
      const dropTornLine = async (): Promise<void> => {
        if ((await stat(file)).size <= length) return;
        await truncate(file, length);
        await syncFile(file);
      };
      await explainFailure('write', file, () => unlessMissing(dropTornLine));
    },
    async list(folder) {
      const path = folder === '' ? dir : resolvePath(folder);
      const entries = await explainFailure('read', path, () =>
        unlessMissing(() => readdir(path, { withFileTypes: true })),
      );
      return (entries ?? [])
        .filter((entry) => !entry.isDirectory() && !TEMPORARY.test(entry.name))
        .map((entry) => entry.name)
        .sort();
    },
    async remove(path) {
      const file = resolvePath(path);
      await explainFailure('remove', file, () => rm(file, { force: true }));
    },
    lease: async (name, ttl) => fileLease(dir, checkLeaseName(name), ttl),
  };
}

/** Writes one after the other: what an earlier one still syncs would else pass for synced. */
function oneAtATime(): (act: () => Promise<void>) => Promise<void> {
  let last = Promise.resolve();
  return (act) => {
    const turn = last.then(act);
    last = turn.catch(() => {});
    return turn;
  };
}

/** Files whose last bytes are not synced yet, and whether their names are. */
type Appended = Map<string, 'old' | 'new'>;

async function syncAppended(appended: Appended): Promise<void> {
  for (const [file, name] of [...appended]) {
    appended.delete(file); // what is appended meanwhile enters it again
    try {
      await unlessMissing(() => syncFile(file));
      if (name === 'new') await syncFolder(dirname(file));
    } catch (error) {
      appended.set(file, name);
      throw error;
    }
  }
}

/** Writes a temporary file beside the target, syncs it and renames it. */
async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const name = `.tmp-${process.pid}-${count++}-${basename(file)}`;
  const temporary = join(dirname(file), name);
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(bytes);
      await syncHandle(handle);
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const owner = Number(TEMPORARY.exec(name)?.[1] ?? Number.NaN);
    const file = join(folder, name);
    if (!Number.isNaN(owner) && !(await inUse(file, owner))) await rm(file, { force: true });
  }
}

/** Whether its process may still be writing; in containers, an earlier process often had the same id as this one. */
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
