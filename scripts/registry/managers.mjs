/** Package managers: how they add packages and run programs, and the files they need. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODES, withNode } from '../nodes.mjs';
import { root, run } from '../release/packages.mjs';
import { SCOPES } from './verdaccio.mjs';

/**
 * @typedef {object} Manager
 * @property {string[]} add command that adds the packages named after it
 * @property {string[]} exec command that runs the program named after it
 * @property {Readonly<Record<string, string>>} [files] texts by file, for the folder
 * @property {string[]} [peers] what a plugin needs beside it; other managers find it with the command line
 */

/** The pnpm that the repository itself uses, as `pnpm@12.21.0`. */
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const pnpm = ['npx', '--yes', '--ignore-scripts', packageManager];

/** Managers that are on the PATH. */
export const MANAGERS = {
  npm: npmBy(['npm']),
  /** Requires approval for every install script (on the CPU these packages work without them), and delays new versions. */
  pnpm: {
    add: [...pnpm, 'add', '--prefer-offline'],
    exec: [...pnpm, 'exec'],
    files: {
      'pnpm-workspace.yaml': `allowBuilds:
  onnxruntime-node: false
  protobufjs: false
minimumReleaseAge: 0
`,
    },
  },
  yarn: {
    add: ['npx', '--yes', 'yarn@1.22.22', 'add', '--silent', '--prefer-offline', '--no-progress'],
    exec: ['npx', '--yes', 'yarn@1.22.22', 'run', '--silent'],
  },
};

/** Managers whose versions differ, fetched with npm. */
const FETCHED = {
  'npm-10': 'npm:npm@10.9.9',
  'npm-11': 'npm:npm@11.21.2',
  'npm-12': 'npm:npm@12.2.2',
  'yarn-4': 'npm:@yarnpkg/cli-dist@4.18.1',
};

/**
 * npm 10, 11 and 12 (the last on a Node that it supports), pnpm, and Yarn 4 with Plug'n'Play.
 * @param {import('./folder.mjs').UserFolder} tools the folder that they are installed in
 * @param {string} registry address of the local registry
 * @returns {Record<string, Manager>}
 */
export function fetchManagers(tools, registry) {
  // npm 12 warns that it does not support this Node; it is run with another.
  tools.install('--loglevel=error', ...Object.entries(FETCHED).map((pair) => pair.join('@')));
  /** @param {keyof typeof FETCHED} name @param {string} file */
  const at = (name, file) => join(tools.path, 'node_modules', name, file);
  const yarn = ['node', at('yarn-4', 'bin/yarn.js')];
  return {
    'npm 10': npmBy(['node', at('npm-10', 'bin/npm-cli.js')]),
    'npm 11': npmBy(['node', at('npm-11', 'bin/npm-cli.js')]),
    'npm 12': npmBy([...withNode(NODES[24]), at('npm-12', 'bin/npm-cli.js')]),
    pnpm: MANAGERS.pnpm,
    'yarn 4': {
      add: [...yarn, 'add'],
      exec: [...yarn, 'run'],
      files: { 'yarn.lock': '', '.yarnrc.yml': yarnrc(registry) },
      peers: ['@grok/core', '@grok/tfjs'],
    },
  };
}

/** @param {string[]} npm @returns {Manager} */
function npmBy(npm) {
  return {
    add: [...npm, 'install', '--no-progress', '--prefer-offline'],
    exec: [...npm, 'exec', '--no', '--'],
  };
}

/**
 * Yarn 4 reads no npmrc, and delays new versions; its cache would keep packages of an earlier
 * registry. @param {string} registry
 */
function yarnrc(registry) {
  const usual = run('npm', ['config', 'get', 'registry']).trim();
  const ours = `{ npmRegistryServer: '${registry}', npmMinimalAgeGate: 0 }`;
  const scopes = SCOPES.map((scope) => `${scope.slice(1)}: ${ours}`);
  return `nodeLinker: pnp
npmRegistryServer: '${usual}'
npmScopes: { ${scopes.join(', ')} }
unsafeHttpWhitelist: ['127.0.0.1']
enableGlobalCache: false
enableMirror: false
enableTelemetry: false
`;
}
