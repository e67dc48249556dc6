/** The store `s3`: a prefix of a bucket, on AWS or any server that checks conditions of writes. */
import {
  type Component,
  definePlugin,
  defineStore,
  flag,
  type Plugin,
  type Store,
  schema,
  text,
} from '@grok/core';
import { connectBucket, type S3Options } from './client.js';
import { createStore } from './store.js';

/** The store of an address such as `s3://bucket/prefix`; keys come from the environment, as AWS's tools have them. */
export function s3Store(address: string, options: S3Options = {}): Store {
  return createStore(connectBucket(address, options));
}

/** The store `s3`. */
export const s3: Component<'store', S3Options> = defineStore({
  name: 's3',
  summary: 'A prefix of a bucket, s3://bucket/prefix, on AWS or a compatible server.',
  options: schema({
    endpoint: text().optional(),
    region: text().optional(),
    forcePathStyle: flag().optional(),
  }),
  create: (options) => (address) => s3Store(address, options),
});

/** The store `s3`, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/store-s3',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [s3],
});
export default plugin;
