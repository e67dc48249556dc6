/** Code of other packages inside one of ours: a file loads faster than two hundred, and less is installed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { UserConfig } from 'tsdown';

type Plugin = Extract<UserConfig['plugins'], { readonly name: string }>;

/** Takes in packages, with what they depend on and their types, and ships their licenses in `dist/THIRD_PARTY_LICENSES`. */
export function bundled(...names: readonly string[]): UserConfig {
  return {
    deps: {
      alwaysBundle: names.map((name) => new RegExp(`^${name}(/|$)`)),
      onlyBundle: false,
      // `#runtime` is chosen by the `imports` of package.json where the package is used.
      neverBundle: [/^(node:|#)/],
    },
    inputOptions: {
      resolve: { mainFields: ['module', 'main'], conditionNames: ['module', 'import', 'default'] },
    },
    plugins: [englishZod, licenses],
  };
}

/** zod exports its messages in fifty languages as one object, which keeps them all in a bundle. */
const englishZod: Plugin = {
  name: 'grok:english-zod',
  transform: {
    filter: { id: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ },
    handler: () => ({ code: "export { default as en } from './en.js';", map: null }),
  },
};

const licenses: Plugin = {
  name: 'grok:licenses',
  generateBundle(_, files) {
    const ids = Object.values(files).flatMap((file) =>
      file.type === 'chunk' ? file.moduleIds : [],
    );
    const folders = new Set(ids.filter((id) => id.includes('node_modules')).map(packageOf));
    const texts = [...folders].sort().map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      if (file === undefined) throw new Error(`${name} ${version}: ships no license to bundle`);
      return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    });
    if (texts.length === 0) return;
    const source = texts.join(`\n${'-'.repeat(80)}\n\n`);
    this.emitFile({ type: 'asset', fileName: 'THIRD_PARTY_LICENSES', source });
  },
};

/** The folder of the package that a module is of: the one below the last `node_modules`. */
function packageOf(id: string): string {
  let at = dirname(id);
  while (
    !/node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/@]+$/.test(at) ||
    !existsSync(join(at, 'package.json'))
  ) {
    if (at === dirname(at)) throw new Error(`${id}: is of no package`);
    at = dirname(at);
  }
  return at;
}
