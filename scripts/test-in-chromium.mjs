/** Runs vitest projects in headless Chromium; without Chromium, it says so and passes. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findChromium } from './chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Ends the process with the tests' exit code.
 * @param {string} what name of the tests in the line that reports them as skipped
 * @param {string} script the npm script
 * @param {readonly string[]} projects
 */
export function testInChromium(what, script, projects) {
  if (findChromium() === undefined) {
    console.log(
      `${what}: skipped, no Chromium on the PATH; install one, or name it: CHROMIUM_PATH=/path/to/chromium npm run ${script}`,
    );
    process.exit(0);
  }
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  const flags = projects.flatMap((project) => ['--project', project]);
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', ...flags, ...process.argv.slice(2)],
    { cwd: root, stdio: 'inherit' },
  );
  process.exit(status ?? 1);
}
