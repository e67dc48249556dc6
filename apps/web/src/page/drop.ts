/** What was dropped on the page: files, and folders with all that is in them. Nothing is read here. */
import type { ToWorker } from '../protocol.js';

type Files = Extract<ToWorker, { type: 'drop' }>['files'];

/** The files that were dropped, by path. */
export async function dropped(transfer: DataTransfer): Promise<Files> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  return entries.some((entry) => entry?.isDirectory)
    ? (await Promise.all(entries.filter((entry) => entry !== null).map(walk))).flat()
    : [...transfer.files].map((file) => ({ path: file.name, file }));
}

async function walk(entry: FileSystemEntry): Promise<Files> {
  const path = entry.fullPath.replace(/^\//, '');
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ path, file }];
  }
  if (!isFolder(entry)) return [];
  const reader = entry.createReader();
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

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
