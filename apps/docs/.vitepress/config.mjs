/** The documentation site: the pages of `docs`, their order, and what a visitor's browser may do. */
import { defineConfig } from 'vitepress';
import { docs } from './files.mjs';
import { linkFiles, publishFiles } from './links.mjs';
import { nav, sidebar } from './pages.mjs';

/** Pages lie outside this package, and from there Vue is not found; the bundle that renders them lies inside. */
/** @type {import('vite').Plugin} */
const vueOfThisPackage = {
  name: 'vue-of-this-package',
  enforce: 'pre',
  resolveId: (id, _, { ssr }) =>
    ssr && ['vue', 'vue/server-renderer'].includes(id) ? { id, external: true } : undefined,
};

export default defineConfig({
  // Where it is served: `npm run docs -- --base /grok/` for a folder of a host.
  base: '/',
  srcDir: docs,
  outDir: 'dist',
  cacheDir: 'node_modules/.vitepress',
  title: 'grok',
  description: 'Train small transformers until they grok, distill them, and look inside.',
  lang: 'en-US',
  rewrites: { ':folder/README.md': ':folder/index.md' },
  lastUpdated: false,
  markdown: {
    config: linkFiles,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  vite: { plugins: [vueOfThisPackage] },
  buildEnd: ({ outDir }) => publishFiles(outDir),
  themeConfig: {
    nav,
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
