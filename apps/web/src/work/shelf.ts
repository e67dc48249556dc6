/** Where studies are kept: in the browser's own file system or, where it gives none, in memory until the page closes. */
import { memoryStore, opfsStore, type Store } from '@grok/core';
import { findOpfsFault } from '@grok/core/internal';

/** Folders of files, one folder a study. */
export interface Shelf {
  /** Why nothing outlives the page; undefined where files are kept. */
  readonly fault?: string;
  /** A folder as a store; `study/run` is a run's. */
  store(folder: string): Store;
  studies(): Promise<readonly string[]>;
  /** Every file of a study, by path. */
  files(study: string): Promise<Readonly<Record<string, Uint8Array>>>;
  /** When a study was begun, in milliseconds since 1970. */
  begun(study: string): Promise<number>;
  remove(study: string): Promise<void>;
}

/** The browser's file system where it can be written, memory otherwise. */
export async function openShelf(): Promise<Shelf> {
  const fault = await findOpfsFault();
  return fault === undefined ? opfsShelf() : memoryShelf(fault);
}

const ROOT = 'studies';

function opfsShelf(): Shelf {
  const root = async (): Promise<FileSystemDirectoryHandle> =>
    (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
  const openFolder = async (study: string): Promise<FileSystemDirectoryHandle> =>
    (await root()).getDirectoryHandle(study);
  return {
    store: (folder) => opfsStore(`${ROOT}/${folder}`),
    async studies() {
      const names: string[] = [];
      for await (const handle of (await root()).values())
        if (handle.kind === 'directory') names.push(handle.name);
      return names;
    },
    files: async (study) => Object.fromEntries(await filesIn(await openFolder(study), '')),
    async begun(study) {
      const folder = await openFolder(study);
      for await (const handle of folder.values())
        if (handle instanceof FileSystemFileHandle && handle.name === 'plan.json')
          return (await handle.getFile()).lastModified;
      return 0;
    },
    remove: async (study) => (await root()).removeEntry(study, { recursive: true }),
  };
}

async function filesIn(
  folder: FileSystemDirectoryHandle,
  prefix: string,
): Promise<readonly (readonly [string, Uint8Array])[]> {
  const found: (readonly [string, Uint8Array])[] = [];
  for await (const handle of folder.values()) {
    const at = prefix + handle.name;
    if (handle instanceof FileSystemDirectoryHandle)
      found.push(...(await filesIn(handle, `${at}/`)));
    // What Chromium writes to before it puts a file in place.
    else if (handle instanceof FileSystemFileHandle && !handle.name.endsWith('.crswap'))
      found.push([at, new Uint8Array(await (await handle.getFile()).arrayBuffer())]);
  }
  return found;
}

/** A shelf in memory. */
export function memoryShelf(fault: string): Shelf {
  const all = memoryStore();
  const begun = new Map<string, number>();
  const paths = new Set<string>();
  const under = (study: string): readonly string[] =>
    [...paths].filter((path) => path.startsWith(`${study}/`));
  return {
    fault,
    store(folder) {
      const at = (path: string): string => `${folder}/${path}`;
      const note = (path: string): string => {
        const [study = ''] = folder.split('/');
        begun.set(study, begun.get(study) ?? Date.now());
        paths.add(at(path));
        return at(path);
      };
      return {
        where: `memory:${folder}`,
        read: (path) => all.read(at(path)),
        write: (path, bytes) => all.write(note(path), bytes),
        append: (path, bytes) => all.append(note(path), bytes),
        truncate: (path, length) => all.truncate(at(path), length),
        list: (path) => all.list(path === '' ? folder : at(path)),
        async remove(path) {
          paths.delete(at(path));
          await all.remove(at(path));
        },
        lease: (name, ttl) => all.lease(`${folder.replaceAll('/', '.')}.${name}`, ttl),
      };
    },
    studies: async () => [...begun.keys()],
    async files(study) {
      const found: Record<string, Uint8Array> = {};
      for (const path of under(study)) {
        const bytes = await all.read(path);
        if (bytes !== undefined) found[path.slice(study.length + 1)] = bytes;
      }
      return found;
    },
    begun: async (study) => begun.get(study) ?? 0,
    async remove(study) {
      begun.delete(study);
      for (const path of under(study)) {
        paths.delete(path);
        await all.remove(path);
      }
    },
  };
}
