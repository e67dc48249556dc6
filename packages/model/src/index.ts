/** A small transformer with named activation sites. */
import { definePlugin, type Plugin } from '@grok/core';
import { transformer } from './component.js';
import { transformerLens } from './transformer-lens.js';

export { transformer } from './component.js';
export type { Algebra, TransformerOptions } from './options.js';
export { type Scale, scaleOptions } from './scale.js';
export { transformerLens } from './transformer-lens.js';

/** Models, as a plugin. */
const plugin: Plugin = definePlugin({
  name: '@grok/model',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [transformer, transformerLens],
});
export default plugin;
