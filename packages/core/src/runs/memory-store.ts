/** A store in memory, for tests, experiments and runs whose files are not needed. */
import { InputError } from '../contracts/errors.js';
import type { Store } from '../contracts/types.js';
import { checkLeaseName, timedLeases } from './lease.js';

/** An empty store; data is copied on read and write. */
export function memoryStore(where = 'memory'): Store {
  const files = new Map<string, Uint8Array>();
  const leases = timedLeases();
  return {
    where,
    read: async (path) => copyBytes(files.get(checkPath(path))),
    async write(path, bytes) {
      files.set(checkPath(path), new Uint8Array(bytes));
    },
    async append(path, bytes) {
      const old = files.get(checkPath(path)) ?? new Uint8Array();
      const all = new Uint8Array(old.length + bytes.length);
      all.set(old);
      all.set(bytes, old.length);
      files.set(path, all);
    },
    async truncate(path, length) {
      const old = files.get(checkPath(path));
      if (old !== undefined) files.set(path, old.slice(0, length));
    },
    async list(folder) {
      const prefix = folder === '' ? '' : `${checkPath(folder)}/`;
      return [...files.keys()]
        .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
        .map((path) => path.slice(prefix.length))
        .sort();
    },
    async remove(path) {
      files.delete(checkPath(path));
    },
    lease: async (name, ttl) => leases(`${where}: lease "${checkLeaseName(name)}"`, name, ttl),
  };
}

const copyBytes = (bytes?: Uint8Array): Uint8Array | undefined => bytes && new Uint8Array(bytes);

/** Returns the path. @throws InputError when it is empty or could lead out of the store. */
export function checkPath(path: string): string {
  const parts = path.split('/');
  if (path.includes('\\') || parts.some((part) => part === '' || part === '.' || part === '..'))
    throw new InputError(
      `store path "${path}": must be names separated by "/", without "..", such as "analysis/cka.json"`,
    );
  return path;
}
