/** The documentation site: the pages of `docs`, their order, and what a visitor's browser may do. */
import { defineConfig } from 'vitepress';
import { docs } from './files.mjs';
import { linkFiles, mendTables, publishFiles } from './markdown.mjs';
import { nav, sidebar } from './pages.mjs';

/** Pages lie outside this package, and from there Vue is not found; the bundle that renders them lies inside. */
/** @type {import('vite').Plugin} */
const vueOfThisPackage = {
  name: 'vue-of-this-package',
  enforce: 'pre',
  resolveId: (id, _, { ssr }) =>
    ssr && ['vue', 'vue/server-renderer'].includes(id) ? { id, external: true } : undefined,
};

/** A word to search for; those of questions say nothing. Browsers run it from its text, so it stands alone. @param {string} term */
function searchTerm(term) {
  const word = term.toLowerCase();
  const silent = ['how', 'do', 'i', 'a', 'an', 'the', 'is', 'what', 'in', 'of', 'to'];
  return silent.includes(word) ? null : word;
}

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
    config: (md) => void md.use(linkFiles).use(mendTables),
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  vite: { plugins: [vueOfThisPackage] },
  buildEnd: ({ outDir }) => publishFiles(outDir),
  themeConfig: {
    nav,
    sidebar,
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          options: { processTerm: searchTerm },
          searchOptions: { fuzzy: 0.1 }, // at 0.2 "hook" finds "look"
        },
      },
    },
  },
});
