/** What was dropped on the page: a plan, a specification, or the files of a run. */
import type { Plan } from '@grok/study';

interface NamedBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
}
export type Dropped =
  | { readonly plan: Plan }
  | { readonly spec: object }
  | { readonly files: readonly NamedBytes[] };

/** Reads what was dropped. @throws TypeError when it is none of these. */
export async function dropped(transfer: DataTransfer): Promise<Dropped> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const files = entries.some((entry) => entry?.isDirectory)
    ? (await Promise.all(entries.filter((entry) => entry !== null).map(walk))).flat()
    : await Promise.all(
        [...transfer.files].map(async (file) => ({ path: file.name, bytes: await bytesOf(file) })),
      );
  const [only] = files;
  if (only === undefined)
    throw new TypeError('nothing to read was dropped; drop a JSON file, a zip or a folder');
  if (files.length > 1 || only.path.endsWith('.zip')) return { files };
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(only.bytes));
  } catch (error) {
    throw new TypeError(`${only.path}: must be JSON (${(error as Error).message})`);
  }
  if (typeof document !== 'object' || document === null)
    throw new TypeError(`${only.path}: must be a plan or a specification, got ${typeof document}`);
  if ('experiment' in document) return { spec: document };
  if ('teacher' in document && 'arms' in document) return { plan: document as Plan };
  throw new TypeError(
    `${only.path}: is neither a plan (teacher, arms) nor a specification (experiment)`,
  );
}

async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}

async function walk(entry: FileSystemEntry): Promise<readonly NamedBytes[]> {
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path, bytes: await bytesOf(file) }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    // A reader gives a hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(walk))).flat();
}
