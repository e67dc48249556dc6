/** Checks a packed package: its manifest is complete, every resolver finds its files, and it has nothing from the workspace. */
import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { run } from './packages.mjs';

/** @typedef {import('./packages.mjs').Manifest} Manifest */

/** Files of the packages that a template makes: their source and tests are what is shipped. */
const TEMPLATES = /^(package|\.)\/templates\//;

/** Faults of a tarball, one line each. @param {string} tarball @param {Manifest} own the manifest in the repository */
export async function faultsOf(tarball, own) {
  const bytes = new Uint8Array(readFileSync(tarball));
  const files = run('tar', ['-tzf', tarball]).trim().split('\n');
  const packed = JSON.parse(run('tar', ['-xOzf', tarball, 'package/package.json']));
  return [
    ...manifestFaults(packed),
    ...fileFaults(files, (path) => run('tar', ['-xOzf', tarball, path])),
    ...(await lintFaults(bytes, packed)),
    ...(await typeFaults(bytes)),
  ].map((fault) => `${own.name}: ${fault}`);
}

/** @param {Manifest & Record<string, unknown>} packed @returns {string[]} */
export function manifestFaults(packed) {
  const faults = [];
  for (const key of ['license', 'keywords', 'exports', 'sideEffects', 'description'])
    if (packed[key] === undefined) faults.push(`package.json has no "${key}"`);
  if (/workspace:|link:|"file:|catalog:/.test(JSON.stringify(packed)))
    faults.push('package.json names the workspace; pack it with pnpm');
  if (JSON.stringify(packed.exports ?? {}).includes('@grok/source'))
    faults.push('its exports lead to source; give publishConfig.exports');
  for (const name of ['@grok/core', '@grok/tfjs'])
    if (packed.name !== '@grok/cli' && packed.dependencies?.[name] !== undefined)
      faults.push(`${name} is a dependency, so that two copies may come; make it a peer`);
  if (packed.publishConfig?.provenance !== undefined)
    faults.push(
      'publishConfig.provenance makes publishing elsewhere fail; use NPM_CONFIG_PROVENANCE',
    );
  return faults;
}

/** @param {string[]} files @param {(path: string) => string} read @returns {string[]} */
export function fileFaults(files, read) {
  const faults = ['README.md', 'LICENSE']
    .filter((name) => !files.includes(`package/${name}`))
    .map((name) => `has no ${name}`);
  // A declaration map points to source, which is not shipped.
  const left = /\/(test|src|node_modules|\.tsc)\/|\.d\.ts\.map$/;
  const own = files.filter((name) => !TEMPLATES.test(name));
  for (const path of own.filter((name) => left.test(name))) faults.push(`ships ${path}`);
  if (!files.some((name) => /^package\/(dist\/)?THIRD_PARTY_LICENSES$/.test(name)))
    for (const path of files.filter((name) => name.endsWith('.js')))
      if (read(path).includes('Apache License'))
        faults.push(`${path} holds code under the Apache License; ship THIRD_PARTY_LICENSES`);
  if (!files.includes('package/README.md')) return faults;
  const readme = read('package/README.md');
  if (!/```(ts|js|sh|bash)/.test(readme)) faults.push('its README shows no code');
  for (const [, target] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g))
    if (!files.includes(`package/${target}`)) faults.push(`its README leads to ${target}`);
  return faults;
}

/** @param {Uint8Array} bytes @param {Manifest} packed @returns {Promise<string[]>} */
async function lintFaults(bytes, packed) {
  const { messages } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  const own = messages.filter(
    ({ code, args }) =>
      code !== 'NESTED_PACKAGE_JSON_FIELD_IGNORED' || !TEMPLATES.test(args.filePath),
  );
  return own.map((message) => `publint: ${formatMessage(message, packed, { color: false })}`);
}

/** @param {Uint8Array} bytes @returns {Promise<string[]>} */
async function typeFaults(bytes) {
  const result = await checkPackage(createPackageFromTarballData(bytes), {
    // A script that a page loads has no types.
    excludeEntrypoints: [/\.js$/],
  });
  if (!result.types) return []; // a command line has no types
  // ES modules only, by design: problems with CommonJS and the oldest resolver are ignored.
  const left = result.problems.filter(
    ({ resolutionKind }) => resolutionKind !== 'node10' && resolutionKind !== 'node16-cjs',
  );
  return left.map(({ kind, entrypoint = '' }) => `attw: ${kind} ${entrypoint}`.trim());
}
