/**
 * `npm run release -- --registry URL` does the dry run, then publishes every tarball whose version
 * is not in the registry. It refuses without a clean tree and an explicit registry. In CI,
 * provenance comes from NPM_CONFIG_PROVENANCE; no file sets it.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { publish, refusals } from './release/guards.mjs';
import { publicPackages, root, run, tarballName } from './release/packages.mjs';
import { dryRun } from './release-dry.mjs';

const { values } = parseArgs({ options: { registry: { type: 'string' } } });
const reasons = refusals({
  registry: values.registry,
  status: run('git', ['status', '--porcelain']),
  branch: run('git', ['branch', '--show-current']).trim(),
  changesets: readdirSync(join(root, '.changeset')).filter((n) => /(?<!README)\.md$/.test(n)),
  provenance: run('npm', ['config', 'get', 'provenance']).trim() !== 'false',
  packages: publicPackages().map(({ manifest }) => manifest),
});
const into = mkdtempSync(join(tmpdir(), 'grok-release-'));
const faults = reasons.length > 0 ? reasons : await dryRun(into);
for (const fault of faults) console.error(`release: ${fault}`);
if (faults.length === 0) {
  const registry = /** @type {string} */ (values.registry);
  for (const { manifest } of publicPackages()) {
    const spec = `${manifest.name}@${manifest.version}`;
    if (isThere(spec, registry)) console.log(`${spec}: is there already`);
    else {
      publish(join(into, tarballName(manifest)), registry);
      console.log(`${spec}: published`);
    }
  }
}
rmSync(into, { recursive: true });
process.exitCode = faults.length === 0 ? 0 : 2;

/** @param {string} spec @param {string} registry */
function isThere(spec, registry) {
  try {
    const scoped = `--@grok:registry=${registry}`;
    return run('npm', ['view', spec, 'version', `--registry=${registry}`, scoped]).trim() !== '';
  } catch (error) {
    if (String(error).includes('E404')) return false;
    throw error;
  }
}
