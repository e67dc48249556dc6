/** Steps on the file system that stores are made of, and what their failures mean for a person. */
import { fsync } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { RunError } from '../contracts/errors.js';

/**
 * Makes a folder and those above it, each synced into its parent, so that a synced file in it lasts.
 * Gives the uppermost that was missing.
 * One by one: Node 20's recursive `mkdir` never returns under `/proc`.
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
      if (error.code !== 'EEXIST') throw error; // another process was quicker
    });
    await syncFolder(dirname(path));
  }
  return missing[0];
}

/** As the handle's own `sync`, which Yarn's Plug'n'Play has not implemented. */
export function syncHandle({ fd }: { readonly fd: number }): Promise<void> {
  return promisify(fsync)(fd);
}

/** Makes a file's bytes last. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await syncHandle(handle);
  } finally {
    await handle.close();
  }
}
/** Makes a rename last; systems that cannot open or sync a folder do without. */
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

/** What is said of a folder that was there before. */
export function goneFolder(folder: string): string {
  return `${folder}: no longer exists; it was removed or renamed during the run`;
}

/** What an action gives, or undefined where no such file. */
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

/** Does something with a file. @throws RunError that names it and says what to do. */
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
