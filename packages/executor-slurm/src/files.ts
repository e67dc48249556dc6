/** What the study and its jobs leave for one another, in the folder `jobs` of the study. */
import { createHash } from 'node:crypto';
import type { Store } from '@grok/core';
import {
  type BoundJob,
  readDocument,
  runSpecSchema,
  type Shape,
  writeJson,
  z,
} from '@grok/core/internal';

/** The folder, beside those of the runs. */
export const JOBS = 'jobs';

/** The name of a job's files. */
export function nameJob(key: string): string {
  return `job-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

/** Files of a job: what is to be done, what it was bound to, how it ended. */
export const files = (id: string): { job: string; bound: string; outcome: string } => ({
  job: `${id}.json`,
  bound: `${id}.bound.json`,
  outcome: `${id}.outcome.json`,
});

const BOUND: z.ZodType<BoundJob> = z.strictObject({
  key: z.string(),
  run: z.string(),
  folder: z.string(),
  spec: runSpecSchema,
} satisfies Shape<BoundJob>);
const REFS = z.record(z.string(), z.string());
const REFS_FILE = 'slurm.json';

/** Reads a JSON file, or gives undefined where there is none. */
export async function readJson(store: Store, file: string): Promise<unknown> {
  const bytes = await store.read(file);
  return bytes && JSON.parse(new TextDecoder().decode(bytes));
}

/** What a job was bound to, once it has begun. */
export async function readBound(store: Store, id: string): Promise<BoundJob | undefined> {
  const file = files(id).bound;
  const bytes = await store.read(file);
  return bytes && readDocument(bytes, `${store.where}/${file}`, { schema: BOUND });
}

/** Slurm's names of the jobs, such as `12_3`, by their files' name. */
export async function readRefs(store: Store): Promise<Map<string, string>> {
  const bytes = await store.read(REFS_FILE);
  if (bytes === undefined) return new Map();
  const kind = { schema: REFS, remedy: 'remove it once no job of the study is in squeue' };
  return new Map(Object.entries(readDocument(bytes, `${store.where}/${REFS_FILE}`, kind)));
}

/** Writes down Slurm's names of the jobs. */
export async function writeRefs(store: Store, refs: ReadonlyMap<string, string>): Promise<void> {
  await writeJson(store, REFS_FILE, Object.fromEntries(refs));
}
