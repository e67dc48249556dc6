/** A page for every source, and for every folder, that the documentation links to. */
import { readFileSync, statSync } from 'node:fs';
import { root } from '../../apps/docs/.vitepress/files.mjs';
import { linkedSources, listFiles, pageName } from '../../apps/docs/.vitepress/markdown.mjs';

/** @param {string} file */
function showSource(file) {
  const language = /\.(\w+)$/.exec(file)?.[1] ?? 'docker';
  return `\`\`\`\`${language}\n${readFileSync(root + file, 'utf8')}\`\`\`\``;
}

/** @param {string} folder */
const showFolder = (folder) =>
  listFiles(folder)
    .map((file) => `- [${file.slice(folder.length + 1)}](${file.slice('docs'.length)})`)
    .join('\n');

export default {
  paths: () =>
    linkedSources().map((file) => ({
      params: { path: pageName(file), file },
      content: statSync(root + file).isDirectory() ? showFolder(file) : showSource(file),
    })),
};
