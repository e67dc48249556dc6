/** File system operations for stores, with errors that people can act on. */
import { fsync } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { RunError } from '../contracts/errors.js';

/**
 * Creates a folder and its parents, syncing each into its parent, so that a synced file in it is
 * durable. Returns the uppermost folder that was missing. It creates them one by one, since Node
 * 20's recursive `mkdir` never returns under `/proc`.
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  const missing: string[] = [];
  for (
    let at = resolve(folder);
    (await unlessMissing(() => stat(at))) === undefined;
    at = dirname(at)
  )
    missing.unshift(at);
  for (const path of missing) {
    await mkdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error; // another process created it first
    });
    await syncFolder(dirname(path));
  }
  return missing[0];
}

/** Syncs a file handle; Yarn's Plug'n'Play does not implement the handle's own `sync`. */
export function syncHandle({ fd }: { readonly fd: number }): Promise<void> {
  return promisify(fsync)(fd);
}

/** Makes a file's bytes durable. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await syncHandle(handle);
  } finally {
    await handle.close();
  }
}
/** Makes a rename durable; skipped on systems that cannot open or sync a folder. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await syncHandle(handle);
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** The error text for a folder that no longer exists. */
export function goneFolder(folder: string): string {
  return `${folder}: no longer exists; it was removed or renamed during the run`;
}

/** Returns the result of an action, or undefined if the file does not exist. */
export async function unlessMissing<T>(action: () => Promise<T>): Promise<T | undefined> {
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
  EACCES: 'permission denied; make the folder writable or use another one',
  EPERM: 'operation not permitted; make the folder writable or use another one',
  EROFS: 'the file system is read-only; use another folder',
  ENOTDIR: 'a part of the path is a file, not a folder; use another folder',
  EEXIST: 'a file with the folder’s name is in the way; use another folder',
  EISDIR: 'a folder with the file’s name is in the way; remove it or use another folder',
  EMFILE: 'too many files are open; raise the limit (ulimit -n) and resume',
};

/** Runs a file operation. @throws RunError that names the file and says what to do. */
export async function explainFailure<T>(
  verb: string,
  file: string,
  action: () => Promise<T>,
): Promise<T> {
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
