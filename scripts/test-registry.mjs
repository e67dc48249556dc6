/**
 * Tests the packages as users install them: `npm run test:registry` publishes all of them to a
 * registry on 127.0.0.1 and installs them in new folders. `-- a e` runs only some cases; `--keep`
 * keeps the folders. A registry that is not on loopback is refused.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cases } from './registry/cases.mjs';
import { startRegistry } from './registry/verdaccio.mjs';
import { isLoopback, publish } from './release/guards.mjs';
import { packAll, publicPackages, tarballName } from './release/packages.mjs';

const { values, positionals } = parseArgs({
  options: { keep: { type: 'boolean' } },
  allowPositionals: true,
});
const started = performance.now();
const seconds = (since = started) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const folder = mkdtempSync(join(tmpdir(), 'grok-registry-'));
const registry = await startRegistry(join(folder, 'verdaccio'));
let failed = 0;
try {
  const tarballs = join(folder, 'tarballs');
  mkdirSync(tarballs);
  packAll(tarballs);
  /** @param {string} tarball */
  const publishHere = (tarball) => {
    if (!isLoopback(registry.url)) throw new Error(`${registry.url} is not on loopback`);
    publish(tarball, registry.url, registry.env);
  };
  for (const { manifest } of publicPackages()) publishHere(join(tarballs, tarballName(manifest)));
  console.log(`${publicPackages().length} packages on ${registry.url}: ${seconds()}`);
  for (const [name, test] of Object.entries(cases)) {
    if (positionals.length > 0 && !positionals.includes(name.slice(0, 1))) continue;
    const began = performance.now();
    try {
      const said = await test({ folder, ...registry, tarballs, publish: publishHere });
      console.log(`✓ (${name.slice(0, 1)}) ${name.slice(3)}: ${said} (${seconds(began)})`);
    } catch (error) {
      failed++;
      console.log(`✗ (${name.slice(0, 1)}) ${name.slice(3)} (${seconds(began)})`);
      console.log(error instanceof Error ? error.message : error);
    }
  }
} finally {
  registry.stop();
  if (values.keep !== true) rmSync(folder, { recursive: true, force: true });
  else console.log(`kept: ${folder}`);
}
console.log(`${failed === 0 ? 'all passed' : `${failed} failed`} in ${seconds()}`);
process.exitCode = failed === 0 ? 0 : 1;
