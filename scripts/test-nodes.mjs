/**
 * The test matrix: `npm run test:nodes` runs the unit tests and the built command line on Node 20,
 * 22 and 24, each fetched from the npm registry. `-- 22 24` selects versions, `-- 22 packages/core`
 * files.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { NODES, withNode } from './nodes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const chosen = process.argv.slice(2).filter((word) => word in NODES);
const files = process.argv.slice(2).filter((word) => !(word in NODES));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const cli = join(root, 'apps/cli/dist/cli.js');
const win = process.platform === 'win32';
let failed = 0;
for (const [major, version] of Object.entries(NODES)) {
  if (chosen.length > 0 && !chosen.includes(major)) continue;
  /** @param {string[]} args */
  const node = (...args) => {
    const [command = '', ...words] = withNode(version);
    return spawnSync(command, [...words, ...args], { cwd: root, encoding: 'utf8', shell: win });
  };
  const doctor = node(cli, 'doctor', '--quiet');
  const tests = node(vitest, 'run', '--project', 'node', '--reporter=dot', ...files);
  const ok = doctor.status === 0 && tests.status === 0;
  if (!ok) {
    failed++;
    console.log(doctor.status === 0 ? '' : `${doctor.stdout}${doctor.stderr}`);
    console.log(tests.status === 0 ? '' : `${tests.stdout}${tests.stderr}`);
  }
  const counts =
    /Tests\s+(.*)/.exec(stripVTControlCharacters(tests.stdout ?? ''))?.[1] ?? 'no tests';
  console.log(`${ok ? '✓' : '✗'} Node ${version}: ${counts.replace(/\s+/g, ' ')}`);
}
process.exitCode = failed === 0 ? 0 : 1;
