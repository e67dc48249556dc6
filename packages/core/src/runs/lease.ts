/** Leases: one process at a time works in a store, and a dead process does not hold it for long. */
import { InputError, RunError } from '../contracts/errors.js';
import type { Lease, LeaseRefusal, Store } from '../contracts/types.js';

/** Name of the lease on a run or study folder. */
const WORK = 'work';
/** Seconds after which a holder that does not renew loses its lease. */
const TTL = 60;
/** Seconds between renewals. */
const BEAT = TTL / 4;
const POLL_MS = 50;

/** A folder whose lease is held. */
export interface Hold {
  /** The folder; it refuses writes once the lease is lost, since another process may be writing. */
  readonly store: Store;
  /** Aborts when the lease is lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the lease of a run or study folder and keeps renewing it, after waiting up to `waitSeconds`
 * seconds for the current holder. @throws RunError that names the holder.
 */
export async function holdStore(store: Store, waitSeconds = 0): Promise<Hold> {
  const lease = await waitForLease(store, waitSeconds);
  const lost = new AbortController();
  let renewed = Date.now();
  const renew = async (): Promise<void> => {
    lost.signal.throwIfAborted();
    try {
      await lease.renew();
      renewed = Date.now();
    } catch (error) {
      lost.abort(error);
      throw error;
    }
  };
  const timer: unknown = setInterval(() => void renew().catch(() => {}), 1000 * BEAT);
  // In Node, the timer would keep the process alive.
  if (hasUnref(timer)) timer.unref();
  return {
    // A process that was suspended or too busy for its timer learns before a write that the lease
    // is lost.
    store: guardWrites(store, async () => {
      if (lost.signal.aborted || Date.now() - renewed > 2000 * BEAT) await renew();
    }),
    lost: lost.signal,
    async release() {
      clearInterval(timer as ReturnType<typeof setInterval>);
      await lease.release();
    },
  };
}

/**
 * Runs an action while holding the lease of a folder, after waiting up to `waitSeconds` seconds.
 * @throws RunError that names the holder; an error at release is added to an earlier error.
 */
export async function whileHeld<T>(
  store: Store,
  act: (hold: Omit<Hold, 'release'>) => Promise<T>,
  waitSeconds = 0,
): Promise<T> {
  const hold = await holdStore(store, waitSeconds);
  let result: T;
  try {
    result = await act(hold);
  } catch (error) {
    await hold.release().catch((second: Error) => {
      if (error instanceof Error) error.message += `; besides, ${second.message}`;
    });
    throw error;
  }
  await hold.release();
  return result;
}

/** The store, with `check` before every change. */
function guardWrites(store: Store, check: () => Promise<void>): Store {
  return {
    where: store.where,
    read: (path) => store.read(path),
    list: (folder) => store.list(folder),
    lease: (name, ttl) => store.lease(name, ttl),
    async write(path, bytes) {
      await check();
      await store.write(path, bytes);
    },
    async append(path, bytes) {
      await check();
      await store.append(path, bytes);
    },
    async truncate(path, length) {
      await check();
      await store.truncate(path, length);
    },
    async remove(path) {
      await check();
      await store.remove(path);
    },
  };
}

async function waitForLease(store: Store, waitSeconds: number): Promise<Lease> {
  const until = Date.now() + 1000 * waitSeconds;
  for (;;) {
    const found = await store.lease(WORK, TTL);
    if (found.granted) return found;
    if (Date.now() >= until)
      throw new RunError(
        `${store.where}: in use by ${found.holder}; wait until it ends or stop it (a killed process releases the folder after ${TTL} s)`,
      );
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer;
}

/** Returns the name. @throws InputError when it cannot be part of a file name. */
export function checkLeaseName(name: string): string {
  if (/^[\w.-]+$/.test(name)) return name;
  throw new InputError(`lease "${name}": its name may contain only letters, digits, . - _`);
}

/** In-memory leases of one realm, by name; errors call them `what`. */
export function timedLeases(): (what: string, name: string, ttl: number) => Lease | LeaseRefusal {
  const held = new Map<string, { expires: number }>();
  return (what, name, ttl) => {
    const now = (): number => performance.now() / 1000;
    const before = held.get(name);
    if (before !== undefined && before.expires > now())
      return { granted: false, holder: 'another part of this program' };
    const own = { expires: now() + ttl };
    held.set(name, own);
    return {
      granted: true,
      async renew() {
        if (held.get(name) !== own) throw new RunError(lostLease(what));
        own.expires = now() + ttl;
      },
      async release() {
        if (held.get(name) === own) held.delete(name);
      },
    };
  };
}

/** The error text for a holder that did not renew in time. */
export function lostLease(what: string): string {
  return `${what}: expired and was taken over by another process; stop, and continue once the other is done`;
}
