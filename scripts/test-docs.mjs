/** Builds the documentation site and tests it in headless Chromium; where there is none, says so and passes. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findChromium } from './chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
if (findChromium() === undefined) {
  console.log(
    'docs: skipped, no Chromium on the PATH; install one, or name it: CHROMIUM_PATH=/path/to/chromium npm run test:docs',
  );
  process.exit(0);
}
const vitest = `${root}node_modules/vitest/vitest.mjs`;
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--project', 'docs', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
