/**
 * Records of runs that have ended, in a folder: `feature@10.json.gz`, under the name of their override where they
 * have one, beside the study's plan and its analyses in the published layout.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { publishedPath } from '@grok/analysis';
import { isInputError, type Store } from '@grok/core';
import { type BegunRun, decodeRecord, encodeRecord, hasBegun, type StudyRun } from '@grok/study';
import { RECORD_ENDING } from '@grok/study/process';
import type { Io } from './io.js';

/**
 * Writes the records of runs that have finished or failed and have none there, or another by now, the plan, and what there is
 * of analyses in the published layout; gives the names of those written.
 */
export async function writeRecords(
  { root, runs }: { readonly root: Store; readonly runs: readonly StudyRun[] },
  folder: string,
  io: Io,
): Promise<readonly string[]> {
  const written: string[] = [];
  const write = (name: string, bytes: Uint8Array | undefined): void => {
    const path = resolve(io.cwd, folder, name);
    if (bytes === undefined) return;
    if (existsSync(path) && Buffer.compare(readFileSync(path), bytes) === 0) return;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    written.push(name);
  };
  const over = (run: StudyRun): run is BegunRun =>
    hasBegun(run) && (run.state === 'finished' || run.state === 'failed');
  const ended = runs.filter(over).filter(({ recorded }) => recorded !== true);
  const seen = new Set<string>();
  for (const { run, key, store } of ended) {
    if (seen.has(run)) continue;
    seen.add(run);
    const name = `${key}${RECORD_ENDING}`;
    write(name, await encodeRecord(store, await findRecord(resolve(io.cwd, folder, name), name)));
  }
  for (const path of ['plan.json', ...new Set(ended.map(publishedPath))])
    write(path, await root.read(path));
  return written;
}

/** A record that is there already; undefined where there is none, or it is damaged and written anew. */
async function findRecord(path: string, name: string): Promise<Store | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    return (await decodeRecord(readFileSync(path), name)).store;
  } catch (error) {
    if (!isInputError(error)) throw error;
    return undefined;
  }
}
