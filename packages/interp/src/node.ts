/** What of `@grok/interp` needs Node: runs in folders. */
import { fileStore } from '@grok/core/node';
import { type OpenedRun, type OpenRunOptions, openRun as openStore } from './open-run.js';

/** Opens the run in a folder, as `openRun` of `@grok/interp` opens one in a store. @throws InputError when it is not there or never came to the step. */
export function openRun(folder: string, options: OpenRunOptions): Promise<OpenedRun> {
  return openStore(fileStore(folder), options);
}
