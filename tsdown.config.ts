import { defineConfig } from 'tsdown';

export default defineConfig({
  workspace: ['packages/*', 'apps/cli'],
  // On a busy machine it warns of its own plugins.
  inputOptions: { checks: { pluginTimings: false } },
});
