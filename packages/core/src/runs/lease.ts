/** Leases: one holder at a time works in a store, and who has died holds nothing for long. */
import { InputError, RunError } from '../contracts/errors.js';
import type { Lease, LeaseRefusal, Store } from '../contracts/types.js';

/** The lease under which a run's or a study's folder is worked in. */
const WORK = 'work';
/** Seconds after which a holder that renews no more has lost its lease. */
const TTL = 60;
const POLL_MS = 50;

/** A folder that is held. */
export interface Hold {
  /** Aborts when the lease is lost: whoever works on would write beside another. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the lease of a run's or a study's folder and keeps renewing it, after waiting up to `patience`
 * seconds for who holds it. @throws RunError that names the holder.
 */
export async function holdStore(store: Store, patience = 0): Promise<Hold> {
  const lease = await waitForLease(store, patience);
  const lost = new AbortController();
  const timer: unknown = setInterval(
    () => {
      lease.renew().catch((error: unknown) => lost.abort(error));
    },
    (1000 * TTL) / 4,
  );
  // In Node a timer would keep the process alive for a lease that ends with it.
  if (hasUnref(timer)) timer.unref();
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer as ReturnType<typeof setInterval>);
      await lease.release();
    },
  };
}

async function waitForLease(store: Store, patience: number): Promise<Lease> {
  const until = Date.now() + 1000 * patience;
  for (;;) {
    const found = await store.lease(WORK, TTL);
    if (found.granted) return found;
    if (Date.now() >= until)
      throw new RunError(
        `${store.where}: ${found.holder} works in it; wait for it or stop it (one that was stopped is out of the way within ${TTL} s)`,
      );
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer;
}

/** The name itself. @throws InputError when it cannot stand in a file's name. */
export function checkLeaseName(name: string): string {
  if (/^[\w.-]+$/.test(name)) return name;
  throw new InputError(`lease "${name}": its name may hold letters, digits, . - _`);
}

/** Leases of one realm, by name; `what` is what errors call one. */
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

/** What is said to who did not renew in time. */
export function lostLease(what: string): string {
  return `${what}: was not renewed in time, and another has taken it; stop, and go on once the other is done`;
}
