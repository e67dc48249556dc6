/** The stores available on Node, as a plugin. */
import type { Plugin } from '../contracts/types.js';
import { type Component, definePlugin, defineStore } from '../plugins/define.js';
import { schema } from '../plugins/options.js';
import { coreVersion } from '../plugins/plugin.js';
import { memory } from '../runs/stores.js';
import { fileStore } from './file-store.js';

/** The store `file`: a folder of the file system. */
export const file: Component<'store'> = defineStore({
  name: 'file',
  summary: 'A folder on disk; every write survives a power failure.',
  options: schema({}),
  create: () => fileStore,
});

/** The stores `file` and `memory`. */
export const stores: Plugin = definePlugin({
  name: '@grok/core',
  version: coreVersion,
  core: `>=${coreVersion}`,
  components: [file, memory],
});
