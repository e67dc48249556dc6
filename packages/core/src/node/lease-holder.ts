/** Reads the holder of a lease from the file in the lease's folder. */
import { open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RunError } from '../contracts/errors.js';
import { unlessMissing } from './file-system.js';
import { findState, type ProcessStamp } from './process-stamp.js';

/** The contents of a lease file. */
export interface Holder extends ProcessStamp {
  readonly token: string;
  /** Lifetime in seconds. */
  readonly ttl: number;
  /** Milliseconds since 1970, by the file system's clock. */
  readonly renewed: number;
}

/** Tokens held by this thread. An earlier container's process with the same id has none of them. */
export const ours: Set<string> = new Set<string>();

/**
 * Whether a lease is still held. A holder seen running keeps its lease even if it is stopped or
 * busy; all others keep it until it expires.
 */
export function isHeld(holder: Holder, now: number): boolean {
  const state = findState(holder);
  const inTime = holder.renewed + 1000 * holder.ttl >= now;
  if (state === 'this thread') return inTime && ours.has(holder.token);
  return state === 'unknown' ? inTime : state === 'runs';
}

/** The holder of a lease; undefined if it is free. @throws RunError when that cannot be read. */
export async function readHolder(path: string): Promise<Holder | undefined> {
  const entries = await listFolder(path);
  // NFS keeps a file that was deleted while another process had it open.
  const [name, ...others] = (entries ?? []).filter((entry) => !entry.startsWith('.nfs'));
  if (name === undefined) return undefined;
  if (!name.endsWith('.json')) throw unreadable(path);
  const found = await readStamp(join(path, name), unreadable(path));
  if (found !== undefined && others.length > 0) throw unreadable(path);
  return found;
}

export async function readStamp(file: string, damage: RunError): Promise<Holder | undefined> {
  try {
    return await unlessMissing(async () => {
      const handle = await open(file, 'r');
      try {
        const { mtimeMs: renewed } = await handle.stat();
        return { ...parseStamp(await handle.readFile('utf8')), token: readToken(file), renewed };
      } finally {
        await handle.close();
      }
    });
  } catch (error) {
    throw isUnreadable(error) ? damage : error;
  }
}

/** Whether an error says nothing about the lease: a failing disk, or too many open files. */
function isUnreadable(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || ['EACCES', 'EPERM', 'EISDIR', 'ELOOP'].includes(code);
}

const readToken = (file: string): string => basename(file).replace(/\.json$/, '');

/** @throws Error when the text is not a valid stamp. */
function parseStamp(text: string): ProcessStamp & Pick<Holder, 'ttl'> {
  const value: unknown = JSON.parse(text);
  const { host, boot, space, pid, began, thread, ttl } = value as Record<string, unknown>;
  if (typeof host !== 'string' || typeof pid !== 'number' || typeof ttl !== 'number')
    throw new Error('host, pid and ttl are required');
  return {
    ...{ host, pid, ttl },
    ...(typeof boot === 'string' ? { boot } : {}),
    ...(typeof space === 'string' ? { space } : {}),
    ...(typeof began === 'string' ? { began } : {}),
    ...(typeof thread === 'number' ? { thread } : {}),
  };
}

export const unreadable = (path: string): RunError =>
  new RunError(`${path}: not a readable lease; remove it if no process is using the folder`);

/** The names in a lease's folder; undefined if there is none. @throws RunError when it cannot be read. */
export async function listFolder(path: string): Promise<readonly string[] | undefined> {
  try {
    return await unlessMissing(() => readdir(path));
  } catch (error) {
    throw isUnreadable(error) ? unreadable(path) : error;
  }
}
