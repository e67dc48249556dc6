/**
 * `npm run -s check` asks for a changeset if a package's source differs from the base branch:
 * `CHANGESET_BASE`, else origin/main. Without that branch, as in a tarball, there is nothing to
 * compare.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { publicPackages, root } from './release/packages.mjs';

/** Files that make up a published package; tests and README can change without a new version. */
const SHIPPED = /^(?:src|templates|presets|claims|python)\/|^package\.json$/;

/**
 * Names of packages whose shipped files changed and that are in no changed changeset. A package
 * with a changed changelog is being released, so its changesets were just consumed.
 * @param {{ changed: readonly string[], changesets: readonly string[],
 *   packages: readonly { name: string, folder: string }[] }} found
 *   `changed`: paths from the repository's root; `changesets`: the text of each changeset among
 * them.
 */
export function missingChangesets({ changed, changesets, packages }) {
  const named = new Set(
    changesets.flatMap((text) => text.match(/@[\w-]+\/[\w-]+(?=["']?:)/g) ?? []),
  );
  return packages
    .filter(({ folder }) => {
      const own = changed.flatMap((path) =>
        path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [],
      );
      return own.some((path) => SHIPPED.test(path)) && !own.includes('CHANGELOG.md');
    })
    .map(({ name }) => name)
    .filter((name) => !named.has(name));
}

/** Files that differ from the merge base with `base`; undefined if there is no such branch. @param {string} base */
function readChanged(base) {
  const fork = git('merge-base', base, 'HEAD')?.trim();
  if (!fork) return undefined;
  const listed = [
    git('diff', '--name-only', fork),
    git('ls-files', '--others', '--exclude-standard'),
  ];
  return listed.flatMap((text) => (text ?? '').split('\n').filter(Boolean));
}

/** @param {string[]} args */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const changed = readChanged(process.env.CHANGESET_BASE || 'origin/main') ?? [];
  const missing = missingChangesets({
    changed,
    changesets: changed
      .filter((path) => /^\.changeset\/.*\.md$/.test(path) && existsSync(join(root, path)))
      .map((path) => readFileSync(join(root, path), 'utf8')),
    packages: publicPackages().map(({ folder, manifest }) => ({
      name: manifest.name,
      folder: relative(root, folder).replaceAll('\\', '/'),
    })),
  });
  if (missing.length > 0) {
    console.error(`changeset: ${missing.join(', ')} changed without one; add it: npx changeset`);
    process.exitCode = 1;
  }
}
