/**
 * A lease in a folder: `.lease-NAME/TOKEN.json`. It is taken by renaming a whole folder into place,
 * which fails if the target has a file in it, and ended by deleting that file, whose name is unique
 * to the lease. A stale lease is therefore ended once, and never a newer one by mistake. No hard
 * links are needed. Times come from the file system, so machines with different clocks agree.
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

/** How often to retry when the lease changes hands meanwhile. */
const ATTEMPTS = 20;

/** A lease that is not in place yet. */
interface Candidate {
  readonly token: string;
  readonly folder: string;
  /** Milliseconds since 1970, by the file system's clock. */
  readonly createdAt: number;
}

/** Takes the lease `name` in a folder, which is created if needed. @throws RunError that names what cannot be written or read. */
export async function fileLease(
  dir: string,
  name: string,
  ttl: number,
): Promise<Lease | LeaseRefusal> {
  const path = join(dir, `.lease-${name}`);
  return explainFailure('lock', dir, async () => {
    const created = await makeFolder(dir);
    const own = await writeCandidate(path, ttl);
    // Recorded before the lease is in place, since others in this thread see it at once.
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

/** Puts a lease in place, replacing an expired one if needed; returns the holder if it cannot. */
async function takeOver(path: string, own: Candidate): Promise<ProcessStamp | undefined> {
  let last: ProcessStamp = ownStamp();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await putInPlace(own.folder, path)) return undefined;
    const holder = await readHolder(path);
    if (holder === undefined) {
      // Some systems cannot rename over an empty folder.
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
        // A full disk or an unreachable server does not cost the holder its lease before it
        // expires.
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

/** Updates a file's modification time by rewriting its first byte, so that the time comes from the file system. */
async function touch(file: string): Promise<true> {
  const handle = await open(file, constants.O_WRONLY);
  try {
    await handle.write('{', 0);
  } finally {
    await handle.close();
  }
  return true;
}

/** Renames a folder, unless the target exists and is not empty. */
async function putInPlace(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw unreadable(to);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    // The error on Windows and some file servers
    const isRefused = code === 'EPERM' || code === 'EACCES';
    if (isRefused && (await listFolder(to)) !== undefined) return false;
    throw error;
  }
}

/** Ends the lease of a token, once: later callers find its file gone. */
async function end(path: string, token: string): Promise<void> {
  await unlessMissing(() => unlink(join(path, `${token}.json`)));
}

/** Removes a folder if it exists and is empty. */
async function removeFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES'].includes(code))
      throw error;
  }
}

/**
 * Removes leftovers of processes that were killed before their lease was in place; those without an
 * owner only when they are old.
 */
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

/** Removes empty folders from `folder` up to `last`. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch {
    return;
  }
  if (folder !== last) await removeEmpty(dirname(folder), last);
}
