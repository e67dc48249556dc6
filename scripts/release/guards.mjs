/** Preconditions of a release. */
import { run } from './packages.mjs';

/**
 * Reasons why nothing may be published now, one line each.
 * @param {{ registry?: string | undefined, status: string, branch: string, changesets: readonly
 * string[],
 *   provenance: boolean, packages: readonly import('./packages.mjs').Manifest[] }} state
 */
export function refusals({ registry, status, branch, changesets, provenance, packages }) {
  const reasons = [];
  if (registry === undefined)
    reasons.push(
      'needs a registry by name: npm run release -- --registry https://registry.npmjs.org',
    );
  else if (!isRegistry(registry))
    reasons.push(`--registry: needs an http(s) address, got "${registry}"`);
  if (status.trim() !== '')
    reasons.push(`the tree is not clean (${status.trim().split('\n')[0]?.trim()} …); commit first`);
  if (branch !== 'main') reasons.push(`releases are made from main, this is ${branch}`);
  if (changesets.length > 0)
    reasons.push(
      `${changesets.length} changesets are not taken in; npm run release:version, commit`,
    );
  const homeless = packages.filter(({ repository }) => repository === undefined);
  if (provenance && homeless.length > 0)
    reasons.push(
      `npm’s provenance (NPM_CONFIG_PROVENANCE) needs to know the repository, and ${homeless.length} packages (${homeless[0]?.name} …) do not say it; add "repository": { "type": "git", "url": …, "directory": … } to each package.json, or publish without`,
    );
  return reasons;
}

/** @param {string} text */
function isRegistry(text) {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** @param {string} registry */
export const isLoopback = (registry) =>
  URL.canParse(registry) && new URL(registry).hostname === '127.0.0.1';

/**
 * Publishes a tarball to the given registry only: the scope's own registry, which takes precedence
 * over the general one, is set too, and a manifest that names another registry is refused.
 * @param {string} tarball @param {string} registry @param {NodeJS.ProcessEnv} [env]
 */
export function publish(tarball, registry, env = process.env) {
  const manifest = JSON.parse(run('tar', ['-xOzf', tarball, 'package/package.json']));
  const other = manifest.publishConfig?.registry;
  if (other !== undefined && other !== registry)
    throw new Error(
      `${manifest.name}: its publishConfig names ${other}, not ${registry}; not published`,
    );
  const scope = /^(@[^/]+)\//.exec(manifest.name)?.[1];
  const flags = [`--registry=${registry}`, ...(scope ? [`--${scope}:registry=${registry}`] : [])];
  run('npm', ['publish', tarball, '--access', 'public', '--ignore-scripts', ...flags], { env });
}
