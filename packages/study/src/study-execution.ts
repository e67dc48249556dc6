/** The execution settings of a study, `study.json`: written when the study starts and kept when it is resumed. */
import type { Execution, Store } from '@grok/core';
import {
  DEFAULT_BACKEND,
  type DocumentKind,
  executionSchema,
  readDocument,
  resolveExecution,
  type Shape,
  z,
} from '@grok/core/internal';

/** The contents of `study.json`; its format covers the whole folder, including the lines of the journal. */
interface StudyFile {
  readonly format: 'grok study 1';
  readonly execution: Execution;
}
const FILE = 'study.json';
const STUDY: DocumentKind<StudyFile> = {
  schema: z.strictObject({
    format: z.literal('grok study 1'),
    execution: executionSchema,
  } satisfies Shape<StudyFile>),
  remedy: 'restore it, or remove it (every run keeps its own execution without it)',
};

/**
 * Requested settings: `execution` must agree with the settings that the study was started with, `defaults` need
 * not.
 */
export interface AskedExecution {
  readonly execution?: Execution;
  readonly defaults?: Execution;
}

/**
 * Resolves the execution settings of a study's runs. In a folder without `study.json` from an older version,
 * the requested settings apply to new runs.
 * @throws InputError if they contradict the settings that the study was started with.
 */
export async function resolveStudyExecution(
  root: Store,
  { execution = {}, defaults = {} }: AskedExecution,
): Promise<Execution> {
  const bytes = await root.read(FILE);
  const file = bytes && readDocument(bytes, `${root.where}/${FILE}`, STUDY);
  return resolveExecution({
    flags: execution,
    recorded: file && { subject: 'study', where: root.where, requested: known(file.execution) },
    defaults,
  });
}

/** Saves the execution settings of a study, including a default backend. */
export async function writeStudyExecution(root: Store, execution: Execution): Promise<void> {
  const file: StudyFile = { format: 'grok study 1', execution: known(execution) };
  await root.write(FILE, new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`));
}

const known = (execution: Execution): Execution => ({ backend: DEFAULT_BACKEND, ...execution });
