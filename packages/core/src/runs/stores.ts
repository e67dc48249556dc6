/** Core's stores that run anywhere, as components; the file store is in `@grok/core/node`. */
import { type Component, defineStore } from '../plugins/define.js';
import { schema } from '../plugins/options.js';
import { memoryStore } from './memory-store.js';
import { opfsStore } from './opfs-store.js';

/** The store `memory`: its contents are lost when the process ends. */
export const memory: Component<'store'> = defineStore({
  name: 'memory',
  summary: 'In memory, for experiments: everything is lost when the process ends.',
  options: schema({}),
  create: () => memoryStore,
});

/** The store `opfs`: a browser's origin private file system. */
export const opfs: Component<'store'> = defineStore({
  name: 'opfs',
  summary: 'The private file system of a page’s origin, in browsers.',
  options: schema({}),
  create: () => opfsStore,
});
