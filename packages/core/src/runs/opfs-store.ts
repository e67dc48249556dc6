/**
 * A store in a browser's origin private file system: pages and workers of one origin see the same
 * files, and the files outlive the tab. A writable's `close` replaces the file atomically.
 */
import { RunError } from '../contracts/errors.js';
import type { Lease, LeaseRefusal, Store } from '../contracts/types.js';
import { checkLeaseName, lostLease } from './lease.js';
import { checkPath } from './memory-store.js';

/**
 * A store in `folder` (`/` separates folders) of the origin private file system, created at the first write.
 */
export function opfsStore(folder: string): Store {
  const where = `opfs:${folder}`;
  const whole = (path: string): readonly string[] => `${folder}/${checkPath(path)}`.split('/');
  let isMade = false;
  const openFile = async (
    path: string,
    create: boolean,
  ): Promise<FileSystemFileHandle | undefined> => {
    const parts = whole(path);
    const [name = ''] = parts.slice(-1);
    const parent = await openFolder(parts.slice(0, -1), create);
    return parent && unlessMissing(() => parent.getFileHandle(name, { create }));
  };
  /** Changes a file through a writable, which replaces it completely or not at all. */
  const change = async (
    path: string,
    keepExistingData: boolean,
    steps: (writable: FileSystemWritableFileStream, size: number) => Promise<void>,
  ): Promise<void> => {
    try {
      if (isMade && (await openFolder(folder.split('/'), false)) === undefined)
        throw new Error('its folder no longer exists: it was removed during the run');
      const handle = await openFile(path, true);
      isMade = true;
      if (handle === undefined) throw new Error('a file is in the place of a folder');
      const { size } = await handle.getFile();
      if (handle.createWritable === undefined)
        throw new Error('this browser can only read files here');
      const writable = await handle.createWritable({ keepExistingData });
      await steps(writable, size);
      await writable.close();
    } catch (error) {
      throw unwritten(`${where}/${path}`, error);
    }
  };

  return {
    where,
    async read(path) {
      const handle = await openFile(path, false);
      return handle && new Uint8Array(await (await handle.getFile()).arrayBuffer());
    },
    write: (path, bytes) => change(path, false, (writable) => writable.write(own(bytes))),
    append: (path, bytes) =>
      change(path, true, (writable, size) =>
        writable.write({ type: 'write', position: size, data: own(bytes) }),
      ),
    async truncate(path, length) {
      if (((await (await openFile(path, false))?.getFile())?.size ?? 0) <= length) return;
      await change(path, true, (writable) => writable.truncate(length));
    },
    async list(path) {
      const parts = path === '' ? folder.split('/') : whole(path);
      const at = await openFolder(parts, false);
      const names: string[] = [];
      if (at !== undefined)
        for await (const handle of at.values())
          if (handle.kind === 'file' && !handle.name.endsWith('.crswap')) names.push(handle.name);
      return names.sort();
    },
    async remove(path) {
      const parts = whole(path);
      const [name = ''] = parts.slice(-1);
      const parent = await openFolder(parts.slice(0, -1), false);
      await unlessMissing(async () => parent?.removeEntry(name));
    },
    lease: (name, ttl) => webLease(`${where}/${checkLeaseName(name)}`, ttl),
  };
}

function unwritten(file: string, cause: unknown): RunError {
  const { name, message } = cause as Error;
  const advice =
    name === 'QuotaExceededError'
      ? 'the site’s storage is full: delete old runs'
      : 'the last good state is kept';
  return new RunError(`${file}: cannot be written (${message}); ${advice}`, { cause });
}

/** The file system's root. @throws RunError when there is none: an old browser, or a private window. */
async function openRoot(): Promise<FileSystemDirectoryHandle> {
  try {
    if (navigator.storage?.getDirectory === undefined) throw new Error('it has none');
    return await navigator.storage.getDirectory();
  } catch (error) {
    throw new RunError(
      `opfs: this browser has no private file system here (${(error as Error).message}); use a normal (not private) window, a newer browser, or run in memory`,
      { cause: error },
    );
  }
}

/**
 * Why `opfsStore` cannot store files in this browser, checked by a test write; undefined if it can.
 * Private windows and older browsers refuse files, or the locks that keep two tabs apart.
 */
export async function findOpfsFault(): Promise<string | undefined> {
  // Tabs that check at the same time must not collide.
  const file = String(Math.random()).slice(2);
  const probe = opfsStore('.grok-probe');
  try {
    if (navigator.locks === undefined) throw new Error('this browser has no Web Locks');
    await probe.write(file, new Uint8Array(1));
    await probe.remove(file);
    return undefined;
  } catch (error) {
    const { message, cause } = error as Error;
    // Stored files can still be read, and removed to free space.
    return (cause as Error | undefined)?.name === 'QuotaExceededError' ? undefined : message;
  }
}

/** A folder by the names on its path; undefined if one is missing and must not be created. */
async function openFolder(
  parts: readonly string[],
  create: boolean,
): Promise<FileSystemDirectoryHandle | undefined> {
  let at = await openRoot();
  for (const part of parts) {
    const next = await unlessMissing(() => at.getDirectoryHandle(part, { create }), !create);
    if (next === undefined) return undefined;
    at = next;
  }
  return at;
}

/**
 * A lease as a Web Lock, which the browser releases when the tab or worker closes; a timer releases
 * a lease that is not renewed.
 */
async function webLease(what: string, ttl: number): Promise<Lease | LeaseRefusal> {
  let letGo: (() => void) | undefined;
  const granted = await new Promise<boolean>((answer, fail) => {
    navigator.locks
      .request(`grok:${what}`, { ifAvailable: true }, (lock) => {
        answer(lock !== null);
        if (lock === null) return undefined;
        return new Promise<void>((done) => {
          letGo = done;
        });
      })
      .catch(fail);
  });
  if (!granted) return { granted: false, holder: 'another tab or worker' };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const release = (): void => {
    clearTimeout(timer);
    letGo?.();
    letGo = undefined;
  };
  const keepOpen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(release, 1000 * ttl);
  };
  keepOpen();
  return {
    granted: true,
    async renew() {
      if (letGo === undefined) throw new RunError(lostLease(`lease ${what}`));
      keepOpen();
    },
    release: async () => release(),
  };
}

/** Copies the bytes, since writables reject views of shared memory. */
const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

/** Returns the result of `open`; undefined if nothing exists or, with `looking`, a file is where a folder is expected. */
async function unlessMissing<T>(open: () => Promise<T>, looking = false): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    const { name } = error as Error;
    if (name === 'NotFoundError' || (looking && name === 'TypeMismatchError')) return undefined;
    throw error;
  }
}
