/** The rules for browsers, manifests and plain text catch faulty examples. */
import { expect, test } from 'vitest';
import { browserFilesAvoidNode } from './browser.js';
import { ignoreFrom } from './files.js';
import {
  corePackagesArePeers,
  packagesHaveReadmes,
  pluginsMatchManifests,
  referencesAreComplete,
  scriptsAreThere,
} from './manifests.js';
import { dev, type Faulty, peers, pkg, prove, type Sound } from './prove.js';
import { filesAreShort, noMachinePaths, testsAreRun } from './text.js';

const plugin = (version: string): string =>
  `const plugin = { name: '@grok/distill-x', version: ${version}, core: '>=0.1.0 <1', components: [] }; export default plugin;`;
const projects = [
  { name: 'node', include: ['packages/*/test/**/*.test.ts'], exclude: ['**/*.slow.test.ts'] },
  { name: 'slow', include: ['packages/*/test/**/*.slow.test.ts'] },
];
/** Assembled from parts so that this file follows the rule. */
const machinePath = ['', 'home', 'ada', 'grok'].join('/');

const faulty: readonly Faulty[] = [
  [
    browserFilesAvoidNode,
    'a Node built-in',
    pkg('packages/metrics', `import { readFileSync } from 'node:fs';`),
    'imports node:fs, but must run in a browser',
  ],
  [
    browserFilesAvoidNode,
    'a Node built-in without its prefix, loaded on demand',
    pkg('packages/study', `const os = await import('os');`),
    'imports os, but must run in a browser',
  ],
  [
    browserFilesAvoidNode,
    "core's Node entry in a feature",
    pkg('packages/report', `import { fileStore } from '@grok/core/node';`),
    'imports @grok/core/node',
  ],
  [
    browserFilesAvoidNode,
    "core's index re-exporting its Node entry",
    pkg('packages/core', `export * from './node/index.js';`),
    'at load time, which touches Node',
  ],
  [
    browserFilesAvoidNode,
    'the process global',
    pkg('packages/core', 'export const rss = (): number => process.memoryUsage().rss;'),
    'uses the global process',
  ],
  [
    browserFilesAvoidNode,
    'the Buffer global in a call',
    pkg('packages/core', `export const b: Uint8Array = Buffer.from('x') as Uint8Array;`),
    'uses the global Buffer',
  ],
  [
    browserFilesAvoidNode,
    'a global of Node that is not asked for first',
    pkg('packages/core', 'setImmediate(() => {});'),
    'uses the global setImmediate',
  ],
  [
    corePackagesArePeers,
    'core as a dependency',
    pkg('packages/data', '', { dependencies: dev }),
    '@grok/core is a dependency',
  ],
  [
    corePackagesArePeers,
    'a peer of another range',
    pkg('packages/data', '', {
      peerDependencies: { ...peers, '@grok/core': '^0.1.0' },
      devDependencies: dev,
    }),
    'is a peer of range "^0.1.0"',
  ],
  [
    corePackagesArePeers,
    'a peer that is no dev dependency',
    pkg('packages/data', '', { peerDependencies: peers }),
    'is no dev dependency',
  ],
  [
    pluginsMatchManifests,
    'a plugin left behind by a release',
    pkg('packages/distill-x', plugin(`'0.0.9'`), { peerDependencies: peers }),
    `the plugin's version is "0.0.9", package.json says "0.1.0"`,
  ],
  [
    pluginsMatchManifests,
    'a plugin left behind through a constant',
    pkg('packages/distill-x', `const v = '0.0.8'; ${plugin('v')}`, { peerDependencies: peers }),
    `the plugin's version is "0.0.8"`,
  ],
  [
    pluginsMatchManifests,
    'a plugin for another range of core',
    pkg('packages/distill-x', plugin(`'0.1.0'`), { peerDependencies: { '@grok/core': '^2' } }),
    `the plugin's core is ">=0.1.0 <1"`,
  ],
  [
    pluginsMatchManifests,
    'a keyword without a plugin',
    pkg('packages/distill-x', 'export {};', { keywords: ['grok-plugin'] }),
    'has the keyword grok-plugin, but no plugin',
  ],
  [
    referencesAreComplete,
    'a tsconfig without a dependency',
    [
      ...pkg('packages/core', ''),
      ...pkg('packages/data', '', { peerDependencies: peers }),
      { path: 'packages/core/tsconfig.json', text: '{}' },
      { path: 'packages/data/tsconfig.json', text: '{ "references": [] }' },
      {
        path: 'tsconfig.json',
        text: '{ "references": [{ "path": "packages/core" }, { "path": "packages/data" }] }',
      },
    ],
    'packages/data/tsconfig.json: lacks a reference to packages/core. Add { "path": "../core" }',
  ],
  [
    referencesAreComplete,
    'a root tsconfig without a package',
    [
      ...pkg('packages/core', ''),
      { path: 'packages/core/tsconfig.json', text: '{}' },
      { path: 'tsconfig.json', text: '{ "references": [] }' },
    ],
    'tsconfig.json: lacks a reference to packages/core',
  ],
  [
    scriptsAreThere,
    'a script whose file is gone',
    [{ path: 'package.json', text: '{ "scripts": { "x": "npm run y && node scripts/x.mjs" } }' }],
    'script "x" runs scripts/x.mjs, which is not there',
  ],
  [
    packagesHaveReadmes,
    'a package without a README',
    pkg('packages/data', ''),
    'packages/data/README.md: is missing',
  ],
  [
    filesAreShort,
    'a file of 401 lines',
    [{ path: 'packages/core/src/x.ts', text: '//\n'.repeat(401) }],
    'has 401 lines',
  ],
  [
    noMachinePaths,
    'a path of one machine',
    [{ path: 'README.md', text: `see\n  ${machinePath} for more` }],
    `README.md:2: names ${machinePath}`,
  ],
  [
    testsAreRun(projects),
    'a test in a folder that no project reads',
    [{ path: 'packages/core/src/rng.test.ts', text: '' }],
    'no vitest project (node, slow) matches it',
  ],
  [
    testsAreRun(projects),
    'a test whose name hides it',
    [
      {
        path: 'packages/core/test/rng-test.ts',
        text: `import { test } from 'vitest'; test('x', () => {});`,
      },
    ],
    'packages/core/test/rng-test.ts: holds tests',
  ],
];

const sound: readonly Sound[] = [
  [
    browserFilesAvoidNode,
    "a name that is only spelt like Node's",
    pkg(
      'packages/core',
      `interface A { process: number; Buffer?: string }
       type E = typeof process;
       const process = 1; // local
       export const x = (a: A, { require }: { require: number }): unknown =>
         [a.process, a.Buffer, { Buffer: 'process' }, globalThis.process, process, require];
       import type { Stats } from 'node:fs';`,
    ),
  ],
  [
    browserFilesAvoidNode,
    'a global of Node that is asked for first',
    pkg('packages/core', "if (typeof setImmediate === 'function') setImmediate(() => {});"),
  ],
  [
    browserFilesAvoidNode,
    'Node where it may be touched',
    pkg('packages/core', `import 'node:fs'; process.exit();`, {}, 'src/node/index.ts'),
  ],
  [
    corePackagesArePeers,
    'peers as they should be',
    pkg('packages/data', '', { peerDependencies: peers, devDependencies: dev }),
  ],
  [
    pluginsMatchManifests,
    'a plugin and its manifest',
    pkg('packages/distill-x', `const v: string = '0.1.0'; ${plugin('v')}`, {
      peerDependencies: peers,
      keywords: ['grok-plugin'],
    }),
  ],
  [filesAreShort, 'a file of 400 lines', [{ path: 'a.ts', text: '//\n'.repeat(400) }]],
  [
    noMachinePaths,
    'paths of no machine',
    [{ path: 'a.md', text: `.${machinePath} ~${machinePath} https://x.org${machinePath}` }],
  ],
  [
    testsAreRun(projects),
    'tests in both projects, and a suite that others call',
    [
      { path: 'packages/core/test/a/rng.test.ts', text: '' },
      { path: 'packages/core/test/rng.slow.test.ts', text: '' },
      {
        path: 'packages/testing/src/suite.ts',
        text: `import { test } from 'vitest'; export const suite = (): void => test('x', () => {});`,
      },
    ],
  ],
];

prove(faulty, sound);
test('.gitignore: a pattern that would be misread is refused', () => {
  expect(() => ignoreFrom('/docs/api\n')).toThrow('only names, /name and *.ext');
  const ignored = ignoreFrom('dist\n*.log\n/runs\n');
  const paths = ['a/dist', 'a.log', 'src', 'runs', 'core/src/runs'];
  expect(paths.filter(ignored)).toEqual(['a/dist', 'a.log', 'runs']);
});
