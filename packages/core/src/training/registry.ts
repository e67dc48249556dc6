/** The registry for runs: core's strategy `hard` and transform `prune-magnitude`, plus the given plugins. */
import type { Plugin } from '../contracts/types.js';
import { definePlugin } from '../plugins/define.js';
import { coreVersion } from '../plugins/plugin.js';
import { buildRegistry, type Registry } from '../plugins/registry.js';
import { hard } from './hard.js';
import { pruneMagnitude } from './model-transforms.js';

const builtIn: Plugin = definePlugin({
  name: '@grok/core',
  version: coreVersion,
  core: `>=${coreVersion}`,
  components: [hard, pruneMagnitude],
});

/** Creates a registry of the given plugins and core's own components. */
export function createRegistry(plugins: readonly Plugin[] = []): Registry {
  return buildRegistry([builtIn, ...plugins]);
}
