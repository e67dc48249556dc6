/** What the tests of executors on real engines share: a folder, the processes they start, and the end of both. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  countFinished,
  end,
  finished,
  generations,
  root,
  startGrok,
  table,
  writePlan,
} from './study.mjs';

/**
 * Opens a test; without its engine the process ends here, and says why.
 * @param {string} name @param {string | undefined} missing
 */
export function openTest(name, missing) {
  if (missing !== undefined) {
    console.log(`${name}: skipped, ${missing}`);
    process.exit(0);
  }
  const parts = process.argv.slice(2);
  const home = mkdtempSync(join(tmpdir(), `grok-${name}-`));
  const began = performance.now();
  /** @type {import('./study.mjs').Started[]} */
  const all = [];
  /** @param {string} what */
  const tell = (what) =>
    console.log(`${Math.round((performance.now() - began) / 1000)} s: ${what}`);
  /** @param {readonly string[]} args */
  const start = (args) => {
    const grok = startGrok(args);
    all.push(grok);
    return grok;
  };
  /** @param {string} file @param {string} folder @param {readonly string[]} more */
  const study = (file, folder, more) =>
    start(['study', 'run', file, '--out', folder, '--quiet', ...more]);
  return {
    ...{ home, tell, start, study },
    /** @param {string} part @param {boolean} [byDefault] */
    isRequested: (part, byDefault = true) =>
      parts.length === 0 ? byDefault : parts.includes(part),
    /** Runs the suite of executors. @param {Readonly<Record<string, string>>} env */
    suite(env) {
      const vitest = join(root, 'node_modules/vitest/vitest.mjs');
      const { status } = spawnSync(
        process.execPath,
        [vitest, 'run', '--project', 'node', `tests/executor-${name}.test.ts`],
        { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
      );
      if (status !== 0) throw new Error('the suite failed');
    },
    /** Carries out the study without an engine. */
    async expected() {
      const file = writePlan(home, generations);
      const local = join(home, 'local');
      await finished(study(file, local, []));
      tell(`local: ${countFinished(local)} runs`);
      return { file, expected: table(local) };
    },
    /** @param {string} folder @param {string} expected */
    same(folder, expected) {
      if (table(folder) !== expected)
        throw new Error(`${folder}: another table than local:\n${table(folder)}\n${expected}`);
      tell('the same table as local');
    },
    /** Acts, and ends all that was started, also when a signal stops it. @param {() => Promise<void>} act @param {() => Promise<unknown>} stop */
    async run(act, stop) {
      for (const signal of ['SIGINT', 'SIGTERM'])
        process.on(signal, () => {
          for (const { child } of all) child.kill('SIGKILL');
          void stop().then(() => process.exit(1));
        });
      try {
        await act();
        console.log(`${name}: passed`);
      } finally {
        for (const grok of all) await end(grok, 'SIGKILL');
        await stop();
        rmSync(home, { recursive: true, force: true });
      }
    },
  };
}
