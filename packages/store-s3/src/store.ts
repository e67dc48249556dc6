/**
 * A store of whole objects. S3 cannot append: what is appended is kept here and written with the next write,
 * as the contract of stores allows. A lease is an object that is written under a condition; it is stale when it
 * has not changed for its time while this store watched, so that no clocks are compared.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Lease, RunError, type Store } from '@grok/core';
import { checkLeaseName, checkPath, lostLease, viewBytes, z } from '@grok/core/internal';
import type { Bucket } from './client.js';

const LEASES = '.leases';
const leaseSchema = z.object({ holder: z.string(), ttl: z.number(), released: z.boolean() });

/** A lease as it was seen: it is stale when its tag stays the same for its time. */
interface Sighting {
  readonly tag: string;
  /** Milliseconds of this process's clock. */
  readonly since: number;
}

/** The store of a bucket's prefix. */
export function createStore(bucket: Bucket): Store {
  const { where } = bucket;
  /** Whole files with what was appended since the last write. */
  const appended = new Map<string, Uint8Array>();
  const seen = new Map<string, Sighting>();
  const read = async (path: string): Promise<Uint8Array | undefined> =>
    appended.get(path) ?? (await bucket.get(path))?.bytes;
  const flush = async (): Promise<void> => {
    for (const [path, bytes] of [...appended]) {
      await bucket.put(path, bytes);
      if (appended.get(path) === bytes) appended.delete(path);
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  /** One change after another: each is of whole files. */
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const own = last.then(change);
    last = own.catch(() => {});
    return own;
  };
  return {
    where,
    async read(path) {
      const bytes = await read(checkPath(path));
      return bytes && new Uint8Array(bytes);
    },
    async write(path, bytes) {
      checkPath(path);
      const own = new Uint8Array(bytes);
      await inTurn(async () => {
        appended.delete(path);
        await flush();
        await bucket.put(path, own);
      });
    },
    async append(path, bytes) {
      checkPath(path);
      const own = new Uint8Array(bytes);
      await inTurn(async () => {
        const before = (await read(path)) ?? new Uint8Array();
        const whole = new Uint8Array(before.length + own.length);
        whole.set(before);
        whole.set(own, before.length);
        appended.set(path, whole);
      });
    },
    async truncate(path, length) {
      checkPath(path);
      await inTurn(async () => {
        const bytes = await read(path);
        if (bytes === undefined || bytes.length <= length) return;
        appended.delete(path);
        await bucket.put(path, bytes.slice(0, length));
      });
    },
    async list(folder) {
      const own = folder === '' ? '' : `${checkPath(folder)}/`;
      const unwritten = [...appended.keys()]
        .filter((path) => path.startsWith(own) && !path.slice(own.length).includes('/'))
        .map((path) => path.slice(own.length));
      return [...new Set([...(await bucket.list(folder)), ...unwritten])].sort();
    },
    async remove(path) {
      checkPath(path);
      await inTurn(async () => {
        appended.delete(path);
        await bucket.remove(path);
      });
    },
    lease: async (name, ttl) => takeLease(bucket, seen, checkLeaseName(name), ttl),
  };
}

async function takeLease(
  bucket: Bucket,
  seen: Map<string, Sighting>,
  name: string,
  ttl: number,
): Promise<Awaited<ReturnType<Store['lease']>>> {
  const path = `${LEASES}/${name}`;
  const found = await bucket.get(path);
  const there = found && readLease(found.bytes);
  if (found !== undefined && there !== undefined && !there.released) {
    const known = seen.get(name);
    const since = known?.tag === found.tag ? known.since : performance.now();
    seen.set(name, { tag: found.tag, since });
    if (performance.now() - since < 1000 * there.ttl)
      return { granted: false, holder: there.holder };
  }
  const token = randomUUID();
  const condition = found === undefined ? { absent: true as const } : { tag: found.tag };
  const written = await bucket.put(path, writeLease(token, ttl, false), condition);
  const tag = written ?? (await findOwn(bucket, path, token));
  return tag === undefined
    ? { granted: false, holder: there?.released === false ? there.holder : 'another process' }
    : holdLease(bucket, path, { token, ttl, tag });
}

/** The tag of a lease that is this one: the answer to a write that did take place may have been lost. */
async function findOwn(bucket: Bucket, path: string, token: string): Promise<string | undefined> {
  const found = await bucket.get(path);
  return found !== undefined && new TextDecoder().decode(found.bytes).includes(token)
    ? found.tag
    : undefined;
}

function holdLease(
  bucket: Bucket,
  path: string,
  {
    token,
    ttl,
    tag: first,
  }: { readonly token: string; readonly ttl: number; readonly tag: string },
): Lease {
  let tag = first;
  let renewed = performance.now();
  /** Writes the lease where it is still this one. */
  const replace = async (released: boolean): Promise<boolean> => {
    const next = await bucket.put(path, writeLease(token, ttl, released), { tag });
    if (next !== undefined) {
      tag = next;
      return true;
    }
    const own = await findOwn(bucket, path, token);
    if (own === undefined) return false;
    tag = own;
    return replace(released);
  };
  return {
    granted: true,
    async renew() {
      const isHeld = await replace(false).catch((error: unknown) => {
        // A server that is away for a while takes no lease from its holder.
        if (performance.now() - renewed > 1000 * ttl) throw error;
        return undefined;
      });
      if (isHeld === false) throw new RunError(lostLease(`${bucket.where}/${path}`));
      if (isHeld === true) renewed = performance.now();
    },
    async release() {
      await replace(true);
    },
  };
}

/** Every version differs, since equal bytes have equal tags. */
function writeLease(token: string, ttl: number, released: boolean): Uint8Array {
  const holder = `process ${process.pid} on ${hostname()}`;
  return new TextEncoder().encode(
    JSON.stringify({ holder, ttl, released, token, version: randomUUID() }),
  );
}

function readLease(bytes: Uint8Array): z.infer<typeof leaseSchema> {
  const text = new TextDecoder().decode(viewBytes(bytes));
  const read = leaseSchema.safeParse(JSON.parse(text));
  return read.success ? read.data : { holder: 'another program', ttl: 60, released: false };
}
