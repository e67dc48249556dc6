/** A folder of records on disk, in subfolders by the names of overrides. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, type Store } from '@grok/core';
import { decodeRecord } from './finished-records.js';

/** How the name of a record ends: gzipped JSON. */
export const RECORD_ENDING = '.json.gz';

/**
 * All records in a folder and its subfolders, by run; `name` is what messages call the folder.
 * @throws InputError when no such folder, or a record is damaged.
 */
export async function readRecordFolder(
  path: string,
  name: string = path,
): Promise<ReadonlyMap<string, Store>> {
  if (!existsSync(path))
    throw new InputError(`records ${name}: no such folder; give a folder of records`);
  const records = new Map<string, Store>();
  for (const file of readdirSync(path, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!file.endsWith(RECORD_ENDING)) continue;
    const { run, store } = await decodeRecord(readFileSync(join(path, file)), join(name, file));
    records.set(run, store);
  }
  return records;
}
