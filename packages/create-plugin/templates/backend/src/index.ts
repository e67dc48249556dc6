/** `my-backend`: adapts a tfjs backend, here tfjs's own in plain JavaScript. */
import {
  type Component,
  defineBackend,
  definePlugin,
  type Plugin,
  schema,
  tfjsAdapter,
} from '@grok/core';

/** Runs every step eagerly on the tfjs backend `cpu`, which registers itself when it is imported. */
export const myBackend: Component<'backend'> = defineBackend({
  name: 'my-backend',
  summary: 'Plain JavaScript: slow, but runs everywhere.',
  options: schema({}),
  async create(_options, { tf }) {
    // Importing a plugin has no side effects, so dependencies are loaded here.
    await import('@tensorflow/tfjs-backend-cpu');
    const device = `tfjs ${tf.version_core} cpu, 1 thread`;
    return tfjsAdapter({ tfjs: 'cpu', device, threads: 1, bitExact: true });
  },
});

/** The plugin with all components of this package. */
const plugin: Plugin = definePlugin({
  name: 'grok-my-backend',
  version: '0.1.0',
  core: '>=0.1.0 <1',
  components: [myBackend],
});
export default plugin;
