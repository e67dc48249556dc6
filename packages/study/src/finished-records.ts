/**
 * A finished run as one small file: its folder without the checkpoints, and their hashes. Such
 * records can be kept when the machine is gone: a study treats the runs in them as done.
 */
import { InputError, isInputError, memoryStore, paramsSha256, type Store } from '@grok/core';
import {
  type DocumentKind,
  listCheckpoints,
  readCheckpoint,
  readConfig,
  readDocument,
  readManifest,
  type Shape,
  sha256Schema,
  withoutAuxiliary,
  z,
} from '@grok/core/internal';

interface RecordFile {
  readonly format: 'grok record 1';
  /** File contents by path in the run's folder. */
  readonly files: Readonly<Record<string, string>>;
}
const RECORD: DocumentKind<RecordFile> = {
  schema: z.strictObject({
    format: z.literal('grok record 1'),
    files: z.record(z.string(), z.string()),
  } satisfies Shape<RecordFile>),
  remedy: 'restore it, or remove it and let its run be trained again',
};
const HASHES: DocumentKind<Readonly<Record<string, string>>> = {
  schema: z.record(z.string(), sha256Schema),
};
/** Files kept from a run's folder, besides its analyses. */
const FILES = ['config.json', 'manifest.json', 'metrics.jsonl', 'events.jsonl'];
const HASHES_FILE = 'checkpoints/hashes.json';
/** Upper limit on the size of a record; real ones are far smaller. */
const MOST_BYTES = 32 * 2 ** 20;

/** A run that exists only as a record. */
export interface RecordedRun {
  /** Hash of its experiment. */
  readonly run: string;
  /** A read-only store with the files of its folder. */
  readonly store: Store;
}

/**
 * Encodes the record of a finished or failed run as gzipped JSON, with the analyses of an earlier record of the
 * same parameters that its folder lacks.
 * @throws InputError if the run may continue.
 */
export async function encodeRecord(store: Store, earlier?: Store): Promise<Uint8Array> {
  const manifest = await readManifest(store);
  if (manifest?.status !== 'finished' && manifest?.status !== 'failed')
    throw new InputError(`${store.where}: is not finished, and has no record; resume it first`);
  const isSame = earlier && (await readManifest(earlier))?.paramsSha256 === manifest.paramsSha256;
  const stores = isSame ? [store, earlier] : [store];
  const names = (await Promise.all(stores.map((each) => each.list('analysis')))).flat();
  const analyses = [...new Set(names)].sort().map((name) => `analysis/${name}`);
  const files: Record<string, string> = {};
  for (const path of [...FILES, ...analyses]) {
    const bytes = (await store.read(path)) ?? (isSame ? await earlier.read(path) : undefined);
    if (bytes !== undefined) files[path] = new TextDecoder().decode(bytes);
  }
  const hashes: Record<string, string> = {};
  for (const step of await listCheckpoints(store))
    hashes[step] = paramsSha256(withoutAuxiliary((await readCheckpoint(store, step)).params));
  files[HASHES_FILE] = JSON.stringify(hashes);
  const record: RecordFile = { format: 'grok record 1', files };
  return pipe(new TextEncoder().encode(JSON.stringify(record)), new CompressionStream('gzip'));
}

/** Reads a record; `where` names its file in errors. @throws InputError if it is damaged. */
export async function decodeRecord(bytes: Uint8Array, where: string): Promise<RecordedRun> {
  const json = await pipe(bytes, new DecompressionStream('gzip')).catch((error: unknown) => {
    const why = isInputError(error) ? error.message : 'is not gzipped, or truncated';
    throw new InputError(`${where}: ${why}; ${RECORD.remedy}`);
  });
  const { files } = readDocument(json, where, RECORD);
  const memory = memoryStore(where);
  for (const [path, text] of Object.entries(files))
    await memory.write(path, new TextEncoder().encode(text));
  const refuse = async (): Promise<never> => {
    throw new InputError(`${where}: is a record and read-only; train the run to continue it`);
  };
  const store = {
    ...memory,
    ...{ write: refuse, append: refuse, truncate: refuse, remove: refuse, lease: refuse },
  };
  return { run: (await readConfig(store)).run, store };
}

/** Hash of the model's parameters at a step whose checkpoint a record left out; undefined if unknown. */
export async function readRecordedHash(store: Store, step: number): Promise<string | undefined> {
  const bytes = await store.read(HASHES_FILE);
  return bytes && readDocument(bytes, `${store.where}/${HASHES_FILE}`, HASHES)[step];
}

/** Pipes bytes through a stream. @throws InputError when the output is larger than a record may be. */
async function pipe(
  bytes: Uint8Array,
  through: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const reader = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(through).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    size += next.value.length;
    if (size <= MOST_BYTES) continue;
    await reader.cancel();
    throw new InputError(`is larger than ${MOST_BYTES} bytes`);
  }
  return new Uint8Array(await new Blob(chunks.map((it) => new Uint8Array(it))).arrayBuffer());
}
