/** The repository follows its own rules; each rule is tested on a faulty example in `architecture/*.test.ts`. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import config from '../vitest.config.js';
import { browserFilesAvoidNode } from './architecture/browser.js';
import { type Rule, readTree, show } from './architecture/files.js';
import {
  importsAreDeclared,
  importsPointDown,
  oneDoor,
  relativeImportsStayInside,
  roomsPointDown,
} from './architecture/imports.js';
import {
  corePackagesArePeers,
  packagesHaveReadmes,
  pluginsMatchManifests,
  referencesAreComplete,
  scriptsAreThere,
} from './architecture/manifests.js';
import {
  filesAreShort,
  noMachinePaths,
  type TestProject,
  testsAreRun,
} from './architecture/text.js';

const files = readTree(fileURLToPath(new URL('..', import.meta.url)));
const projects = (config.test?.projects ?? []).map(
  (project) => (project as { test: TestProject }).test,
);

const rules: Record<string, Rule> = {
  'imports point down, and no feature imports a feature': importsPointDown,
  'folders of core point down': roomsPointDown,
  'relative imports stay inside their package': relativeImportsStayInside,
  'source imports only what its manifest lists': importsAreDeclared,
  'tfjs-core and the container have one importer each': oneDoor,
  'what a browser must run touches nothing of Node': browserFilesAvoidNode,
  'core and tfjs are peers': corePackagesArePeers,
  'plugins match their manifests': pluginsMatchManifests,
  'tsconfig references are complete': referencesAreComplete,
  'npm scripts run files that are there': scriptsAreThere,
  'every package has a README': packagesHaveReadmes,
  'no file of code is over 400 lines': filesAreShort,
  'no path of one machine': noMachinePaths,
  'every test file is run by a vitest project': testsAreRun(projects),
};

test('the tree and the projects were read', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(projects.map(({ name }) => name)).toContain('node');
});
test.each(Object.entries(rules))('%s', (_, rule) => {
  expect(rule(files).map(show)).toEqual([]);
});
