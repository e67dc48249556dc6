/**
 * A lease in a folder: `.lease-NAME/TOKEN.json`, renewed by its time of change. It is taken by renaming
 * a whole folder into place, which fails where there is one, and ended by renaming it away; no hard
 * links are needed. Whoever ends a lease first makes `.lease-NAME.end-TOKEN`, which one alone can: so a
 * stale lease is taken over once, and a new one is never taken for the old.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { RunError } from '../contracts/errors.js';
import type { Lease, LeaseRefusal } from '../contracts/types.js';
import { lostLease } from '../runs/lease.js';
import { explainFailure, makeFolder, unlessMissing } from './file-system.js';
import { isOwn, mayRun, ownStamp, type ProcessStamp } from './process-stamp.js';

/** How often a lease that changes hands meanwhile is looked at again. */
const ATTEMPTS = 20;
/** Milliseconds after which whoever ends a lease must have been cut short. */
const CUT_SHORT = 10_000;

/** What a lease's file holds. */
interface Holder extends ProcessStamp {
  readonly token: string;
  /** Seconds. */
  readonly ttl: number;
  /** Milliseconds since 1970. */
  readonly renewed: number;
}

/** Tokens that this process holds: one of a process with the same id, in an earlier container, is not among them. */
const ours = new Set<string>();

/** Takes the lease `name` of a folder, which is made if need be. @throws RunError that names what cannot be written or read. */
export async function fileLease(
  dir: string,
  name: string,
  ttl: number,
): Promise<Lease | LeaseRefusal> {
  const path = join(dir, `.lease-${name}`);
  return explainFailure('lock', dir, async () => {
    const made = await makeFolder(dir);
    const token = randomUUID();
    const next = `${path}.new-${token}`;
    try {
      await writeHolder(next, token, ttl);
      const holder = await takeOver(path, next);
      if (holder !== undefined) return { granted: false, holder };
      ours.add(token);
      return heldLease(path, token, made === undefined ? undefined : resolve(made));
    } finally {
      await rm(next, { recursive: true, force: true });
    }
  });
}

/** Puts a lease in place, where need be of one that has run out; else gives who holds it. */
async function takeOver(path: string, next: string): Promise<string | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await putInPlace(next, path)) return undefined;
    const holder = await readHolder(path);
    if (holder === undefined) continue;
    if (isHeld(holder) || !(await end(path, holder.token))) return `process ${holder.pid}`;
  }
  return 'one process after another';
}

function heldLease(path: string, token: string, made: string | undefined): Lease {
  const file = join(path, `${token}.json`);
  return {
    granted: true,
    async renew() {
      const now = new Date();
      const renewed = await unlessMissing(async () => {
        await utimes(file, now, now);
        return true;
      });
      if (renewed === undefined) throw new RunError(lostLease(path));
    },
    async release() {
      ours.delete(token);
      await end(path, token);
      if (made !== undefined) await removeEmpty(resolve(dirname(path)), made);
    },
  };
}

async function writeHolder(folder: string, token: string, ttl: number): Promise<void> {
  await mkdir(folder);
  const handle = await open(join(folder, `${token}.json`), 'wx');
  try {
    await handle.writeFile(JSON.stringify({ ...ownStamp(), ttl }));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Renames a folder unless there is one of that name. */
async function putInPlace(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw unreadable(to);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    // So Windows says it.
    const isThere = (await unlessMissing(() => stat(to))) !== undefined;
    if (isThere && (code === 'EPERM' || code === 'EACCES')) return false;
    throw error;
  }
}

/** Who holds a lease; undefined where nobody does. @throws RunError where that cannot be read. */
async function readHolder(path: string): Promise<Holder | undefined> {
  const names = await unlessMissing(() => readdir(path));
  if (names === undefined) return undefined;
  const [name, ...others] = names;
  if (name === undefined || others.length > 0) throw unreadable(path);
  const file = join(path, name);
  const text = await unlessMissing(() => readFile(file, 'utf8'));
  const info = await unlessMissing(() => stat(file));
  if (text === undefined || info === undefined) return undefined;
  const found = parseHolder(text);
  if (found === undefined) throw unreadable(path);
  return { ...found, token: name.replace(/\.json$/, ''), renewed: info.mtimeMs };
}

function parseHolder(text: string): Pick<Holder, 'host' | 'pid' | 'ttl'> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const { host, pid, began, ttl } = value as Record<string, unknown>;
    if (typeof host !== 'string' || typeof pid !== 'number' || typeof ttl !== 'number')
      return undefined;
    return { host, pid, ttl, ...(typeof began === 'string' ? { began } : {}) };
  } catch {
    return undefined;
  }
}

const unreadable = (path: string): RunError =>
  new RunError(`${path}: cannot be read as a lease; remove it if no process works in its folder`);

function isHeld(holder: Holder): boolean {
  if (holder.renewed + 1000 * holder.ttl < Date.now()) return false;
  return isOwn(holder) ? ours.has(holder.token) : mayRun(holder);
}

/**
 * Ends the lease of a token; false where another process is ending it. Nobody else ends it meanwhile,
 * and no other takes its place before: what is renamed is the lease that was looked at.
 */
async function end(path: string, token: string): Promise<boolean> {
  const marker = `${path}.end-${token}`;
  try {
    await mkdir(marker);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const made = await unlessMissing(() => stat(marker));
    if (made !== undefined && made.mtimeMs + CUT_SHORT < Date.now())
      throw new RunError(
        `${marker}: whoever ended this lease was cut short; remove it if no process works in its folder`,
      );
    return false;
  }
  try {
    const current = await unlessMissing(() => stat(join(path, `${token}.json`)));
    if (current !== undefined) await rename(path, join(marker, 'lease'));
    return true;
  } finally {
    await rm(marker, { recursive: true, force: true });
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
