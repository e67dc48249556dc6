/** The import rules catch faulty examples. */
import {
  importsAreDeclared,
  importsPointDown,
  oneDoor,
  relativeImportsStayInside,
  roomsPointDown,
} from './imports.js';
import { type Faulty, peers, pkg, prove, type Sound } from './prove.js';

const faulty: readonly Faulty[] = [
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
    roomsPointDown,
    'a contract that reads a store',
    pkg('packages/core', `import '../runs/run-folder.js';`, {}, 'src/contracts/x.ts'),
    'contracts imports ../runs/run-folder.js of runs, which is not below it',
  ],
  [
    roomsPointDown,
    'a tensor that knows the plugins',
    pkg('packages/core', `import '../plugins/registry.js';`, {}, 'src/tensors/x.ts'),
    'tensors imports ../plugins/registry.js of plugins',
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
    'only packages/core/src/plugins/registry.ts',
  ],
];

const sound: readonly Sound[] = [
  [
    importsAreDeclared,
    'a dev dependency whose code is bundled',
    [
      ...pkg('packages/x', `import { z } from 'zod';`, { devDependencies: { zod: '4' } }),
      { path: 'packages/x/tsdown.config.ts', text: `defineConfig({ ...bundled('zod') });` },
    ],
  ],
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
];

prove(faulty, sound);
