/** A page for every source that the documentation links to. */
import { readFileSync } from 'node:fs';
import { root } from '../../apps/docs/.vitepress/files.mjs';
import { linkedSources, pageName } from '../../apps/docs/.vitepress/markdown.mjs';

export default {
  paths: () =>
    linkedSources().map((file) => {
      const text = readFileSync(root + file, 'utf8');
      const language = /\.(\w+)$/.exec(file)?.[1] ?? 'docker';
      return {
        params: { path: pageName(file), file },
        content: `\`\`\`\`${language}\n${text}\`\`\`\``,
      };
    }),
};
