/** Versions: the results of the changesets, and the places in source that repeat versions. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { publicPackages, root } from './packages.mjs';

/** The new versions from the current changesets, one line each. */
export async function dueVersions(base = root) {
  const cli = createRequire(createRequire(join(root, '_')).resolve('@changesets/cli/package.json'));
  const { default: releasePlan } = cli('@changesets/get-release-plan');
  /** @type {{ releases: { name: string, type: string, oldVersion: string, newVersion: string }[] }} */
  const { releases } = await releasePlan(base);
  const due = releases.filter(({ type }) => type !== 'none');
  if (due.length === 0) return ['versions: as they are, there are no changesets'];
  return due.map((r) => `versions: ${r.name} ${r.oldVersion} → ${r.newVersion} (${r.type})`);
}

/**
 * Source after a version change: a plugin states its own version, and core states its version.
 * @param {string} text @param {string} from @param {string} to
 */
export const withVersion = (text, from, to) =>
  text.replace(
    new RegExp(
      `(\\b(?:version|coreVersion)(?:: string)?(?: =|:) ')${from.replaceAll('.', '\\.')}(')`,
      'g',
    ),
    `$1${to}$2`,
  );

/** Rewrites the versions in the source of packages that changed. @param {ReadonlyMap<string, string>} before by name */
export function writeVersions(before, base = root) {
  for (const { folder, manifest } of publicPackages(base)) {
    const from = before.get(manifest.name);
    if (from === undefined || from === manifest.version) continue;
    for (const name of readdirSync(join(folder, 'src'), { recursive: true }).map(String)) {
      if (!name.endsWith('.ts')) continue;
      const file = join(folder, 'src', name);
      const text = readFileSync(file, 'utf8');
      const next = withVersion(text, from, manifest.version);
      if (next !== text) writeFileSync(file, next);
    }
  }
}
