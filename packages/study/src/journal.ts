/** The journal of a study, `journal.jsonl`: what was begun and how it ended, only ever added to. */
import { InputError, type Store } from '@grok/core';

/** A line of the journal; `at` is the time in ISO 8601. */
export type JournalLine =
  | { readonly type: 'begin'; readonly key: string; readonly run: string; readonly at: string }
  | {
      readonly type: 'end';
      readonly key: string;
      readonly run: string;
      readonly at: string;
      readonly status: 'finished' | 'interrupted' | 'failed';
      readonly error?: string;
    }
  /** Failures before this line count no more. */
  | { readonly type: 'forgive'; readonly at: string };

const FILE = 'journal.jsonl';

/** All whole lines; a last one that a kill cut short is left out. @throws InputError that names a bad line. */
export async function readJournal(root: Store): Promise<readonly JournalLine[]> {
  const bytes = (await root.read(FILE)) ?? new Uint8Array();
  const text = new TextDecoder().decode(bytes.subarray(0, bytes.lastIndexOf(10) + 1));
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, i) => {
      try {
        return JSON.parse(line) as JournalLine;
      } catch {
        throw new InputError(
          `${root.where}/${FILE}: line ${i + 1} is not JSON; restore the file, or remove it (finished runs are known without it)`,
        );
      }
    });
}

/** Adds lines to a journal, one after another. */
export type Write = (line: JournalLine) => Promise<void>;

/** Opens a journal for writing, made where there is none; a line cut short is removed first, or the next would join it. */
export async function openJournal(root: Store): Promise<Write> {
  const bytes = await root.read(FILE);
  if (bytes === undefined) await root.append(FILE, new Uint8Array());
  else await root.truncate(FILE, bytes.lastIndexOf(10) + 1);
  let last: Promise<void> = Promise.resolve();
  return (line) => {
    last = last.then(() =>
      root.append(FILE, new TextEncoder().encode(`${JSON.stringify(line)}\n`)),
    );
    return last;
  };
}

/** How often each run failed and with what at last, by its hash. */
export function failuresIn(
  lines: readonly JournalLine[],
): ReadonlyMap<string, { readonly times: number; readonly error: string }> {
  const found = new Map<string, { times: number; error: string }>();
  for (const line of lines) {
    if (line.type === 'forgive') found.clear();
    if (line.type !== 'end' || line.status !== 'failed') continue;
    const times = (found.get(line.run)?.times ?? 0) + 1;
    found.set(line.run, { times, error: line.error ?? 'it failed' });
  }
  return found;
}
