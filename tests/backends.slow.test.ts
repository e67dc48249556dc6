/** The paper's control on every available backend, as `npm run test:backends` trains it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../bench/backends.mjs', import.meta.url));

// Catches: masks, row order, splits or initial values that differ by backend; a step that trains
// worse on one.
test('one seed crosses 99 % within 10 epochs on every available backend', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  console.info(stdout);
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/✓ epochs to 99 % are \d+ apart/);
});

test('runs that never reach 99 % do not count as agreement', () => {
  // Catches: infinite epochs, which are all equal and so agree.
  const short = [script, '--epochs', '3', '--only', '2 threads'];
  const { status, stdout } = spawnSync(process.execPath, short, { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toMatch(/✗/);
});
