/**
 * Tests the backend `node-gpu` on an installed or built @tensorflow/tfjs-node-gpu: `npm run
 * test:node-gpu -- DIR`, where DIR is a folder whose `node_modules` has it.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = process.argv[2] ?? process.env.GROK_NODE_GPU;
const missing = whatIsMissing(folder);
if (missing !== undefined) {
  console.log(`node-gpu: skipped, ${missing}`);
  process.exit(0);
}
const env = { ...process.env, GROK_NODE_GPU: resolve(/** @type {string} */ (folder)) };
/** @param {string[]} command */
const run = (...command) =>
  spawnSync(process.execPath, command, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'node'];
const parity = run('scripts/test-parity.mjs', 'node-gpu');
const tests = run(...vitest, 'packages/backend-node-gpu', 'tests/node-gpu.test.ts');
process.exit(parity || tests);

/** @param {string | undefined} dir */
function whatIsMissing(dir) {
  if (!dir) return 'no folder was named: npm run test:node-gpu -- DIR';
  try {
    createRequire(join(resolve(dir), '_')).resolve('@tensorflow/tfjs-node-gpu');
    return undefined;
  } catch {
    return `${resolve(dir)} has no @tensorflow/tfjs-node-gpu: npm install @tensorflow/tfjs-node-gpu@4.22.0 there, or build it from source`;
  }
}
