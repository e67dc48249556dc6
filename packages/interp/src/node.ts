/** What of `@grok/interp` needs Node: runs in folders. */
import { fileStore } from '@grok/core/node';
import { type OpenedRun, type OpenRunOptions, openRunFromStore } from './open-run.js';

/** Options for opening a run folder. */
export interface OpenFolderOptions extends Omit<OpenRunOptions, 'teacherStores'> {
  /** Folders of the run's teachers by name, for replays. */
  readonly teachers?: Readonly<Record<string, string>>;
}

/** Opens a run folder. @throws InputError if there is no run or it never reached the step. */
export function openRun(
  folder: string,
  { teachers = {}, ...options }: OpenFolderOptions,
): Promise<OpenedRun> {
  const stores = Object.entries(teachers).map(([name, path]) => [name, fileStore(path)] as const);
  return openRunFromStore(fileStore(folder), {
    ...options,
    teacherStores: Object.fromEntries(stores),
  });
}
