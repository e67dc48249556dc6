/** The parts of core that need Node; never re-exported from the index, which browsers load. */
export { fileStore } from './file-store.js';
export { type LoadedPlugin, loadPlugin } from './load-plugin.js';
export { file, stores } from './stores.js';

/** Peak resident memory of this process so far, in bytes. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
