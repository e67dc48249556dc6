/** A folder of records on disk, with subfolders named after overrides. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, type Store } from '@grok/core';
import { decodeRecord } from './finished-records.js';

/** File name suffix of a record: gzipped JSON. */
export const RECORD_ENDING = '.json.gz';

/**
 * Reads all records in a folder and its subfolders, by run; errors name the folder `name`.
 * @throws InputError when the folder does not exist, or a record is damaged.
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
