/** The journal of a study, `journal.jsonl`: which runs started and how they ended; it only grows. */
import type { Store } from '@grok/core';
import { type DocumentKind, readLines, type Shape, z } from '@grok/core/internal';

/** A line of the journal; `at` is an ISO 8601 time. */
export type JournalLine =
  | { readonly type: 'begin'; readonly key: string; readonly run: string; readonly at: string }
  | {
      readonly type: 'end';
      readonly key: string;
      /** Its key, if it failed before its teachers were known. */
      readonly run: string;
      readonly at: string;
      readonly status: 'finished' | 'interrupted' | 'failed';
      readonly error?: string;
    }
  /** Failures before this line no longer count. */
  | { readonly type: 'forgive'; readonly at: string };

type LineShape<T extends JournalLine['type']> = Shape<Extract<JournalLine, { type: T }>>;
const common = { key: z.string(), run: z.string(), at: z.string() };
/** The schema of a line; the folder's format is in its other files. */
const JOURNAL: DocumentKind<JournalLine> = {
  schema: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('begin'), ...common } satisfies LineShape<'begin'>),
    z.strictObject({
      type: z.literal('end'),
      ...common,
      status: z.enum(['finished', 'interrupted', 'failed']),
      error: z.string().exactOptional(),
    } satisfies LineShape<'end'>),
    z.strictObject({ type: z.literal('forgive'), at: z.string() } satisfies LineShape<'forgive'>),
  ]),
  remedy: 'restore the file, or remove it (finished runs are known without it)',
};
const FILE = 'journal.jsonl';

/**
 * Reads all complete lines; an incomplete last line is dropped.
 * @throws InputError that names an invalid line.
 */
export async function readJournal(root: Store): Promise<readonly JournalLine[]> {
  const bytes = (await root.read(FILE)) ?? new Uint8Array();
  return readLines(bytes, `${root.where}/${FILE}`, JOURNAL).map(({ value }) => value);
}

/** Appends a line to a journal. */
export type Write = (line: JournalLine) => Promise<void>;

/**
 * Opens a journal for writing lines in sequence. Each time, the whole file is written, because appended data
 * may be lost until the next write. An incomplete last line is dropped.
 */
export async function openJournal(root: Store): Promise<Write> {
  const lines = [...(await readJournal(root))];
  const write = (): Promise<void> => {
    const text = lines.map((each) => `${JSON.stringify(each)}\n`).join('');
    return root.write(FILE, new TextEncoder().encode(text));
  };
  let last = write();
  await last;
  return (line) => {
    lines.push(line);
    last = last.then(write);
    return last;
  };
}

/** Failures of a run. */
export interface Failure {
  readonly times: number;
  /** The last error. */
  readonly error: string;
}
/** Failures since the last reset, by the run's hash. */
export function findFailures(lines: readonly JournalLine[]): ReadonlyMap<string, Failure> {
  const found = new Map<string, Failure>();
  for (const line of lines) {
    if (line.type === 'forgive') found.clear();
    if (line.type !== 'end' || line.status !== 'failed') continue;
    const times = (found.get(line.run)?.times ?? 0) + 1;
    found.set(line.run, { times, error: line.error ?? 'it failed' });
  }
  return found;
}

/** The id of each started run by key; the last one if there are several. */
export function findBegun(lines: readonly JournalLine[]): ReadonlyMap<string, string> {
  // A run that failed before its teachers were known has its key in place of an id.
  const begun = lines
    .filter((line) => line.type !== 'forgive')
    .filter(({ key, run }) => key !== run);
  return new Map(begun.map(({ key, run }) => [key, run]));
}
