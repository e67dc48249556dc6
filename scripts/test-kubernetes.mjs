/**
 * Checks `deploy/kubernetes` against Kubernetes's own schemas with the Python package kubernetes-validate, in a
 * virtual environment of its own. Nothing is applied: there is no cluster here. `npm run test:kubernetes`
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './engines/study.mjs';

const home = mkdtempSync(join(tmpdir(), 'grok-kubernetes-'));
/** @param {string} command @param {readonly string[]} args */
const run = (command, ...args) => spawnSync(command, args, { stdio: 'inherit' }).status;
try {
  if (run('python3', '-m', 'venv', home) !== 0) {
    console.log('kubernetes: skipped, python3 with venv is not installed');
    process.exit(0);
  }
  const python = join(home, 'bin/python');
  if (run(python, '-m', 'pip', 'install', '--quiet', 'kubernetes-validate') !== 0)
    throw new Error('kubernetes-validate could not be installed');
  const folder = join(root, 'deploy/kubernetes');
  const resources = readdirSync(folder)
    .filter((name) => name !== 'kustomization.yaml')
    .map((name) => join(folder, name));
  if (run(join(home, 'bin/kubernetes-validate'), '--strict', ...resources) !== 0)
    throw new Error('the manifests do not fit');
  console.log(`kubernetes: ${resources.length} files fit the schemas`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
