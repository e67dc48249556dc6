/** Each rule of the architecture catches a faulty example, and leaves a sound one alone. */
import { describe, expect, test } from 'vitest';
import { browserFilesAvoidNode } from './browser.js';
import { type File, ignoreFrom, type Rule, show } from './files.js';
import {
  importsAreDeclared,
  importsPointDown,
  oneDoor,
  relativeImportsStayInside,
} from './imports.js';
import {
  corePackagesArePeers,
  packagesHaveReadmes,
  pluginsMatchManifests,
  referencesAreComplete,
  scriptsAreThere,
} from './manifests.js';
import { filesAreShort, noMachinePaths, testsAreRun } from './text.js';

/** A package `@grok/NAME` with one source file. */
function pkg(folder: string, source: string, manifest: object = {}, path = 'src/index.ts'): File[] {
  const name = `@grok/${folder.split('/')[1]}`;
  return [
    {
      path: `${folder}/package.json`,
      text: JSON.stringify({ name, version: '0.1.0', ...manifest }),
    },
    { path: `${folder}/${path}`, text: source },
  ];
}
const peers = { '@grok/core': '>=0.1.0 <1', '@grok/tfjs': '>=0.1.0 <1' };
const dev = { '@grok/core': 'workspace:^', '@grok/tfjs': 'workspace:^' };
const plugin = (version: string): string =>
  `const plugin = { name: '@grok/distill-x', version: ${version}, core: '>=0.1.0 <1', provides: [] }; export default plugin;`;
const projects = [
  { name: 'node', include: ['packages/*/test/**/*.test.ts'], exclude: ['**/*.slow.test.ts'] },
  { name: 'slow', include: ['packages/*/test/**/*.slow.test.ts'] },
];
/** Put together so that this file keeps the rule. */
const machinePath = ['', 'home', 'ada', 'grok'].join('/');

/** Rule, what the example is, its files, and what the message must name. */
type Case = readonly [rule: Rule, what: string, files: readonly File[], says: string];

const faulty: readonly Case[] = [
  [
    importsPointDown,
    'core importing a feature',
    pkg('packages/core', `import { adamw } from '@grok/optim';`),
    '@grok/core imports @grok/optim: imports point down',
  ],
  [
    importsPointDown,
    'a feature importing a feature',
    pkg('packages/model', `export { task } from '@grok/data';`),
    'a feature never imports a feature',
  ],
  [
    importsPointDown,
    'a feature importing the types of a feature',
    pkg('packages/model', `export type T = import('@grok/data').Task;`),
    'a feature never imports a feature',
  ],
  [
    importsPointDown,
    'an example plugin importing a feature dynamically',
    pkg('examples/p', `await import('@grok/metrics');`, { keywords: ['grok-plugin'] }, 'index.js'),
    'a feature never imports a feature',
  ],
  [
    importsPointDown,
    'study importing report',
    pkg('packages/study', `import '@grok/report';`),
    'imports point down',
  ],
  [
    importsPointDown,
    'testing importing a feature',
    pkg('packages/testing', `import '@grok/model';`),
    'a feature never imports a feature',
  ],
  [
    importsPointDown,
    'source importing testing',
    pkg('packages/study', `import '@grok/testing';`),
    'testing serves tests only',
  ],
  [
    importsPointDown,
    'a package importing an app',
    pkg('packages/study', `import '@grok/cli';`),
    'apps are imported by nobody',
  ],
  [
    importsPointDown,
    'a manifest that depends upwards',
    pkg('packages/data', '', { dependencies: { '@grok/study': 'workspace:^' } }),
    'packages/data/package.json: @grok/data depends on @grok/study',
  ],
  [
    importsPointDown,
    'a package that no layer knows',
    pkg('packages/misc', `import '@grok/core';`),
    'a package without a layer',
  ],
  [
    relativeImportsStayInside,
    'a relative import of another package',
    pkg('packages/model', `import '../../core/src/rng.js';`),
    'outside packages/model',
  ],
  [
    relativeImportsStayInside,
    'source that reaches the scripts of the repository',
    pkg('packages/model', `import '../../../scripts/chromium.mjs';`),
    'outside packages/model',
  ],
  [
    importsAreDeclared,
    'an import that only the checkout resolves',
    pkg('packages/metrics', `import { Matrix } from 'ml-matrix';`, { dependencies: {} }),
    'packages/metrics/package.json does not list',
  ],
  [
    importsAreDeclared,
    'a value from a dev dependency',
    pkg('packages/x', `import { z } from 'zod';`, { devDependencies: { zod: '4' } }),
    'imports zod',
  ],
  [
    oneDoor,
    'a second importer of tfjs-core',
    pkg('packages/optim', `import * as tf from '@tensorflow/tfjs-core';`),
    'one door to tfjs-core',
  ],
  [
    oneDoor,
    'a deep type import of tfjs-core',
    pkg('packages/optim', `import type { T } from '@tensorflow/tfjs-core/dist/tensor.js';`),
    'one door to tfjs-core',
  ],
  [
    oneDoor,
    'the container outside the registry',
    pkg('packages/core', `import { container } from 'tsyringe';`, {}, 'src/run.ts'),
    'only packages/core/src/registry.ts',
  ],
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

const sound: readonly (readonly [rule: Rule, what: string, files: readonly File[]])[] = [
  [
    importsPointDown,
    'report importing study, a feature, core and itself',
    pkg(
      'packages/report',
      `import '@grok/study'; import '@grok/metrics'; import '@grok/core'; import '@grok/report';`,
    ),
  ],
  [importsPointDown, 'an app importing everything', pkg('apps/cli', `import '@grok/report';`)],
  [
    importsPointDown,
    'a test that brings another feature',
    pkg('packages/optim', `import '@grok/model';`, {}, 'test/adamw.test.ts'),
  ],
  [
    relativeImportsStayInside,
    'a test that shares the scripts of the repository',
    pkg('apps/web', `import '../../../scripts/chromium.mjs';`, {}, 'test/page.ts'),
  ],
  [
    importsAreDeclared,
    'Node, itself, a peer and the types of a dev dependency',
    [
      ...pkg(
        'packages/x',
        `import 'node:fs'; import '@grok/x'; import '@grok/core'; import type { S } from 'ort';`,
        { peerDependencies: peers, devDependencies: { ort: '1' } },
      ),
    ],
  ],
  [oneDoor, 'the door itself', pkg('packages/tfjs', `export * from '@tensorflow/tfjs-core';`)],
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

describe('a faulty example is named', () => {
  for (const [rule, what, files, says] of faulty)
    test(what, () => expect(rule(files).map(show).join('\n')).toContain(says));
});
describe('a sound example is left alone', () => {
  for (const [rule, what, files] of sound)
    test(what, () => expect(rule(files).map(show)).toEqual([]));
});
test('.gitignore: a pattern that would be misread is refused', () => {
  expect(() => ignoreFrom('/docs/api\n')).toThrow('only names and *.ext');
  expect(['dist', 'a.log', 'src'].map(ignoreFrom('dist\n*.log\n'))).toEqual([true, true, false]);
});
