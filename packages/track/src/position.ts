/** How much of a run was sent to a tracker, kept in the run's folder: `trackers/<name>.json`. */
import type { TrackedRun } from '@grok/core';
import { type DocumentKind, readDocument, type Shape, sha256Schema, z } from '@grok/core/internal';

/** How a run ended. */
export type EndStatus = 'finished' | 'interrupted' | 'failed';

/** What was sent of a run. */
export interface SentPosition {
  readonly format: 'grok tracked 1';
  /** Hash of the run's experiment. */
  readonly run: string;
  /** What the run is called where it is tracked. */
  readonly id?: string;
  /** When it was first sent, in milliseconds since 1970. */
  readonly begun: number;
  /** The step of the last row that arrived; 0 before the first. */
  readonly step: number;
  /** The step of the last parameters that arrived; 0 before the first. */
  readonly parameters: number;
  /** SHA-256 of every artifact that arrived, by its path in the run's folder. */
  readonly artifacts: Readonly<Record<string, string>>;
  /** The end that arrived. */
  readonly ended?: EndStatus;
}

const step: z.ZodInt = z.int().min(0);
const POSITION: DocumentKind<SentPosition> = {
  schema: z.strictObject({
    format: z.literal('grok tracked 1'),
    run: sha256Schema,
    id: z.string().exactOptional(),
    begun: z.number(),
    step,
    parameters: step,
    artifacts: z.record(z.string(), sha256Schema),
    ended: z.enum(['finished', 'interrupted', 'failed']).exactOptional(),
  } satisfies Shape<SentPosition>),
  remedy: 'remove it, and everything is sent again',
};

const formatPath = ({ name }: TrackedRun): string => `trackers/${encodeURIComponent(name)}.json`;

/** What was sent of a run so far. @throws InputError when the file is damaged. */
export async function readPosition(run: TrackedRun): Promise<SentPosition> {
  const file = formatPath(run);
  const bytes = await run.store.read(file);
  const initial: SentPosition = {
    ...{ format: 'grok tracked 1', run: run.run, begun: Date.now() },
    ...{ step: 0, parameters: 0, artifacts: {} },
  };
  if (bytes === undefined) return initial;
  const found = readDocument(bytes, `${run.store.where}/${file}`, POSITION);
  return found.run === run.run ? found : initial;
}

/** Keeps what was sent of a run. */
export async function writePosition(run: TrackedRun, position: SentPosition): Promise<void> {
  const text = `${JSON.stringify(position, null, 2)}\n`;
  await run.store.write(formatPath(run), new TextEncoder().encode(text));
}
