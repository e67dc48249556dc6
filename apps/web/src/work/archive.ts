/** Folders as one zip file, and back; what is taken in is counted while it is unpacked. */
import { InputError } from '@grok/core';
import { Unzip, UnzipInflate, zipSync } from 'fflate';

export interface NamedBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** More than a study of this page has: its largest checkpoints have 5 MB. */
export const MOST_BYTES = 256 * 2 ** 20;
const MOST_FILES = 10_000;
/** Deflate packs up to 1,032 bytes in one: what is unpacked between two looks at the total is bounded. */
const AT_ONCE = 2 ** 14;

/** A zip of files by path; weights do not shrink, so nothing is compressed. */
export function packFiles(files: Readonly<Record<string, Uint8Array>>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(zipSync({ ...files }, { level: 0 }));
}

/** The files in a zip. @throws InputError when it is damaged or holds more than this page takes. */
export function unpackFiles(
  zip: NamedBytes,
  { bytes: most = MOST_BYTES, files: mostFiles = MOST_FILES } = {},
): readonly NamedBytes[] {
  const refuse = (rule: string): never => {
    throw new InputError(`${zip.path}: ${rule}`);
  };
  const found = new Map<string, Uint8Array[]>();
  const tooLarge = `holds more than ${most / 2 ** 20} MiB when unpacked; drop a single run`;
  let [total, said] = [0, 0];
  const unzip = new Unzip((file) => {
    if (file.name.endsWith('/')) return;
    const parts: Uint8Array[] = [];
    if (found.has(file.name)) refuse(`holds ${file.name} twice`);
    found.set(file.name, parts);
    if (found.size > mostFiles) refuse(`holds more than ${mostFiles} files; drop a single run`);
    // What an archive says of itself may be less than what comes, never more.
    said += file.originalSize ?? 0;
    if (said > most) refuse(tooLarge);
    file.ondata = (error, part) => {
      if (error instanceof InputError) throw error;
      if (error) refuse(`is damaged (${error.message}); create it again`);
      total += part.length;
      if (total > most) refuse(tooLarge);
      parts.push(part);
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  try {
    for (let at = 0; at < zip.bytes.length; at += AT_ONCE)
      unzip.push(zip.bytes.subarray(at, at + AT_ONCE), at + AT_ONCE >= zip.bytes.length);
  } catch (error) {
    if (error instanceof InputError) throw error;
    refuse(`is not a readable zip file (${(error as Error).message})`);
  }
  if (found.size === 0) refuse('contains no files; drop the folder of a run, or its zip');
  return [...found].map(([path, parts]) => ({ path, bytes: concatBytes(parts) }));
}

function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
