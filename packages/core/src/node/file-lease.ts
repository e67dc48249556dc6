/**
 * A lease in a folder: `.lease-NAME/TOKEN.json`. It is taken by renaming a whole folder into place, which
 * fails where one with a file stands, and ended by deleting the file, whose name no other lease has: a
 * stale lease is ended once, and a new one never in its place. It needs no hard links. Times are those
 * of the file system, so that machines whose clocks differ agree.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { RunError } from '../contracts/errors.js';
import type { Lease, LeaseRefusal } from '../contracts/types.js';
import { lostLease } from '../runs/lease.js';
import {
  explainFailure,
  goneFolder,
  makeFolder,
  syncHandle,
  unlessMissing,
} from './file-system.js';
import { isHeld, listFolder, ours, readHolder, readStamp, unreadable } from './lease-holder.js';
import { describeProcess, findState, ownStamp, type ProcessStamp } from './process-stamp.js';

/** How often a lease that changes hands meanwhile is looked at again. */
const ATTEMPTS = 20;

/** A lease that is to be put in place. */
interface Candidate {
  readonly token: string;
  readonly folder: string;
  /** Milliseconds since 1970, by the file system's clock. */
  readonly createdAt: number;
}

/** Takes the lease `name` of a folder, which is made if need be. @throws RunError that names what cannot be written or read. */
export async function fileLease(
  dir: string,
  name: string,
  ttl: number,
): Promise<Lease | LeaseRefusal> {
  const path = join(dir, `.lease-${name}`);
  return explainFailure('lock', dir, async () => {
    const created = await makeFolder(dir);
    const own = await writeCandidate(path, ttl);
    // Before it is in place, where others of this thread see it at once.
    ours.add(own.token);
    let isTaken = false;
    try {
      const holder = await takeOver(path, own);
      if (holder !== undefined) return { granted: false, holder: describeProcess(holder) };
      isTaken = true;
      await removeLeftovers(path, own.createdAt, ttl);
      return heldLease(path, own.token, ttl, created === undefined ? undefined : resolve(created));
    } finally {
      if (!isTaken) ours.delete(own.token);
      await rm(own.folder, { recursive: true, force: true });
    }
  });
}

async function writeCandidate(path: string, ttl: number): Promise<Candidate> {
  const token = randomUUID();
  const folder = `${path}.new-${token}`;
  await mkdir(folder);
  const handle = await open(join(folder, `${token}.json`), 'wx');
  try {
    await handle.writeFile(JSON.stringify({ ...ownStamp(), ttl }));
    await syncHandle(handle);
    return { token, folder, createdAt: (await handle.stat()).mtimeMs };
  } finally {
    await handle.close();
  }
}

/** Puts a lease in place, where need be of one that has run out; else gives who holds it. */
async function takeOver(path: string, own: Candidate): Promise<ProcessStamp | undefined> {
  let last: ProcessStamp = ownStamp();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await putInPlace(own.folder, path)) return undefined;
    const holder = await readHolder(path);
    if (holder === undefined) {
      // Not every system renames over an empty folder.
      await removeFolder(path);
      await wait(attempt);
      continue;
    }
    if (isHeld(holder, own.createdAt)) return holder;
    await end(path, holder.token);
    last = holder;
  }
  return last;
}

function heldLease(path: string, token: string, ttl: number, created: string | undefined): Lease {
  let renewed = Date.now();
  return {
    granted: true,
    async renew() {
      try {
        const there = await unlessMissing(() => touch(join(path, `${token}.json`)));
        if (there === undefined) throw await describeLoss(path);
        renewed = Date.now();
      } catch (error) {
        // A disk that is full for a while, or a server that is away, takes no lease from its holder.
        if (error instanceof RunError || Date.now() - renewed > 1000 * ttl) throw error;
      }
    },
    async release() {
      ours.delete(token);
      const dir = dirname(path);
      await explainFailure('unlock', dir, async () => {
        await end(path, token);
        await removeFolder(path);
      });
      if (created !== undefined) await removeEmpty(resolve(dir), created);
    },
  };
}

async function describeLoss(path: string): Promise<RunError> {
  const dir = dirname(path);
  const isThere = (await unlessMissing(() => stat(dir))) !== undefined;
  return new RunError(isThere ? lostLease(path) : goneFolder(dir));
}

/** Renews a file's time of change by its first byte, which stays what it is: so the time is the file system's. */
async function touch(file: string): Promise<true> {
  const handle = await open(file, constants.O_WRONLY);
  try {
    await handle.write('{', 0);
  } finally {
    await handle.close();
  }
  return true;
}

/** Renames a folder unless there is one of that name that is not empty. */
async function putInPlace(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw unreadable(to);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    // So Windows and some servers say it.
    const isRefused = code === 'EPERM' || code === 'EACCES';
    if (isRefused && (await listFolder(to)) !== undefined) return false;
    throw error;
  }
}

/** Ends the lease of a token, once: whoever comes later finds its file gone. */
async function end(path: string, token: string): Promise<void> {
  await unlessMissing(() => unlink(join(path, `${token}.json`)));
}

/** Removes a folder if it is there and empty. */
async function removeFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes(code))
      throw error;
  }
}

/** Removes what takers left that were killed before they put their lease in place; one that does not say whose it is, when it is old. */
async function removeLeftovers(path: string, now: number, ttl: number): Promise<void> {
  const dir = dirname(path);
  for (const name of await readdir(dir)) {
    if (!name.startsWith(`${basename(path)}.new-`)) continue;
    const token = name.slice(basename(path).length + '.new-'.length);
    const file = join(dir, name, `${token}.json`);
    const holder = await readStamp(file, unreadable(file)).catch(() => undefined);
    const folderTime =
      holder?.renewed ?? (await unlessMissing(() => stat(join(dir, name))))?.mtimeMs;
    const isOld = folderTime !== undefined && folderTime + 1000 * (holder?.ttl ?? ttl) < now;
    if (isOld || (holder !== undefined && findState(holder) === 'ended'))
      await rm(join(dir, name), { recursive: true, force: true });
  }
}

/** Removes folders from `folder` up to `last`, as long as nothing is in them. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch {
    return;
  }
  if (folder !== last) await removeEmpty(dirname(folder), last);
}
