/** Folders as one zip file, and back. */
import { unzipSync, zipSync } from 'fflate';

export interface NamedBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A zip of files by path; weights do not shrink, so nothing is compressed. */
export async function packFiles(
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Uint8Array<ArrayBuffer>> {
  return zipSync({ ...files }, { level: 0 }) as Uint8Array<ArrayBuffer>;
}

/** The files that were dropped, with what is inside a zip among them. */
export async function unpackFiles(files: readonly NamedBytes[]): Promise<readonly NamedBytes[]> {
  return files.flatMap(({ path, bytes }) =>
    path.endsWith('.zip')
      ? Object.entries(unzipSync(bytes))
          .filter(([inside]) => !inside.endsWith('/'))
          .map(([inside, content]) => ({ path: inside, bytes: content }))
      : [{ path, bytes }],
  );
}
