/** The documented installation with each package manager, and one run that must give the same result with all. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../release/packages.mjs';
import { must, userFolder } from './folder.mjs';
import { fetchManagers } from './managers.mjs';
import { TSC, TYPESCRIPT } from './typed.mjs';

/** @typedef {import('./cases.mjs').World} World */

const PLUGIN = '@third/commonjs';
const EXPERIMENT = {
  task: { use: 'parity', options: { bits: 5 } },
  model: { use: 'transformer', options: { dim: 8, depth: 1 } },
  optimizer: { use: 'adamw' },
  batch: 16,
  epochs: 2,
  seed: 1,
};

/** @param {World} world */
export function instruction({ folder, env, publish, url }) {
  publish(commonJsPlugin(userFolder(join(folder, 'commonjs'), env)));
  const managers = fetchManagers(userFolder(join(folder, 'managers'), env), url);
  const { variable, packages } = documented();
  /** @type {Record<string, string>} */
  const ended = {};
  for (const [name, manager] of Object.entries(managers)) {
    const { ONNXRUNTIME_NODE_INSTALL: _, ...rest } = env;
    const at = join(folder, name.replace(' ', '-'));
    const user = userFolder(at, { ...rest, ...variable }, manager);
    user.install(...packages);
    user.install(PLUGIN, ...(manager.peers ?? []));
    const plugAndPlay = name !== 'yarn 4' || existsSync(join(at, '.pnp.cjs'));
    must(plugAndPlay, 'yarn 4 did not install by Plug’n’Play');
    user.write(
      'spec.json',
      JSON.stringify({ experiment: EXPERIMENT, execution: { backend: 'onnx', threads: 1 } }),
    );
    user.exec('grok', 'train', '--spec', 'spec.json', '--plugin', PLUGIN, '--out', 't', '--quiet');
    const manifest = JSON.parse(readFileSync(join(at, 't/manifest.json'), 'utf8'));
    must(manifest.status === 'finished', `${name}: ${JSON.stringify(manifest)}`);
    ended[name] = manifest.paramsSha256;
  }
  const hashes = new Set(Object.values(ended));
  must(hashes.size === 1 && !hashes.has(''), JSON.stringify(ended));
  return `${Object.keys(ended).join(', ')}: ${[...hashes].join().slice(0, 10)}`;
}

/** The installation line in the command line's README: what it sets, and what it installs. */
function documented() {
  const readme = readFileSync(join(root, 'apps/cli/README.md'), 'utf8');
  const found = /^(\w+)=(\S+) npm install (.+)$/m.exec(readme);
  must(found, 'apps/cli/README.md has no line "NAME=value npm install …"');
  const [, name = '', value = '', packages = ''] = found;
  return { variable: { [name]: value }, packages: packages.split(' ') };
}

/** A tarball of a plugin that tsc compiled to CommonJS. @param {import('./folder.mjs').UserFolder} author */
function commonJsPlugin(author) {
  author.write(
    'package.json',
    JSON.stringify({
      ...{ name: PLUGIN, version: '0.1.0', main: 'index.js', files: ['index.js'] },
      peerDependencies: { '@grok/core': '>=0.1.0 <1' },
    }),
  );
  author.install('@grok/tfjs', TYPESCRIPT);
  author.copy(fileURLToPath(new URL('commonjs.ts', import.meta.url)), 'index.ts');
  author.run('npx', 'tsc', ...TSC, 'index.ts');
  const text = readFileSync(join(author.path, 'index.js'), 'utf8');
  must(text.includes('require("@grok/core")'), `no CommonJS:\n${text}`);
  author.run('npm', 'pack');
  return join(author.path, 'third-commonjs-0.1.0.tgz');
}
