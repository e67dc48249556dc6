/** What of `@grok/interp` needs Node: runs in folders. */
import { fileStore } from '@grok/core/node';
import { type OpenedRun, type OpenRunOptions, openRunFromStore } from './open-run.js';

/** How to open a run that lies in a folder. */
export interface OpenFolderOptions extends Omit<OpenRunOptions, 'teacherStores'> {
  /** Folders of the run's teachers, by name, for steps that are trained again. */
  readonly teachers?: Readonly<Record<string, string>>;
}

/** Opens the run in a folder, as `openRunFromStore` of `@grok/interp` opens one in a store. @throws InputError when it is not there or never came to the step. */
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
