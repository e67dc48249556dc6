/**
 * The paper's arms and controls at p = 23 over three seeds, killed at random times, give the same
 * table as an uninterrupted study. Catches: a finished run repeated, an interrupted one restarted,
 * two processes in one folder, a student of a half-trained teacher.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const cli = fileURLToPath(new URL('../apps/cli/dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'grok-study-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PLAN = ['study-small', '--set', 'shared.epochs=60', '--checkpoint-every', '5'];

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [cli, 'study', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const done = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, done, out: () => out, err: () => err };
}
async function finished(...args: string[]): Promise<string> {
  const run = start(args);
  expect(await run.done, run.err()).toBe(0);
  return run.out();
}
/** Live processes that hold the lease of a run, which the study started. */
const workers = (out: string): number[] => leaseHolders(out).filter(isAlive);
const leaseHolders = (out: string): number[] =>
  (existsSync(join(folder, out)) ? readdirSync(join(folder, out)) : []).flatMap((name) => {
    try {
      const lease = join(folder, out, name, '.lease-work');
      return readdirSync(lease).map(
        (file) => JSON.parse(readFileSync(join(lease, file), 'utf8')).pid,
      );
    } catch {
      return []; // not a run folder, or already released
    }
  });
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
const journal = (out: string): { type: string; run: string; status?: string }[] =>
  readFileSync(join(folder, out, 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe.skipIf(!existsSync(cli))('grok study (skipped without a build)', () => {
  test('killed three times and resumed, it gives the same table as an uninterrupted study', async () => {
    const began = performance.now();
    await finished('run', ...PLAN, '--out', 'whole');
    const duration = performance.now() - began;
    expect(journal('whole').filter(({ type }) => type === 'begin')).toHaveLength(30);

    let next = start(['run', ...PLAN, '--out', 'killed']);
    let kills = 0;
    while (kills < 3) {
      await wait(2000 + Math.random() * (duration / 5));
      expect(next.child.exitCode, next.err()).toBeNull();
      const started = workers('killed');
      next.child.kill('SIGKILL');
      // Once together with its processes, as in a power failure; otherwise they save and exit by
      // themselves.
      if (kills === 1) for (const pid of started) process.kill(pid, 'SIGKILL');
      await next.done;
      kills++;
      next = start(kills === 3 ? ['resume', 'killed'] : ['run', ...PLAN, '--out', 'killed']);
    }
    expect(await next.done, next.err()).toBe(0);

    for (const how of [['--no-times'], ['--no-times', '--json'], ['--no-times', '--markdown']])
      expect(await finished('table', 'killed', ...how)).toBe(
        await finished('table', 'whole', ...how),
      );
    const ends = journal('killed').filter(({ status }) => status === 'finished');
    expect(ends.length).toBeLessThanOrEqual(30);
    expect(new Set(ends.map(({ run }) => run)).size).toBe(ends.length);
    console.info(
      `30 runs in ${Math.round(duration / 1000)} s, killed ${kills} times and resumed: the same table`,
    );

    const lines = journal('killed').length;
    expect(await finished('run', ...PLAN, '--out', 'killed')).toContain(
      'nothing to do: all 30 runs are finished',
    );
    expect(journal('killed')).toHaveLength(lines);
  });

  test('a chain of three generations, killed with its processes and resumed, gives the same table', async () => {
    const preset = new URL('../apps/cli/presets/study-small.json', import.meta.url);
    const {
      arms,
      shared,
      teachers: _,
      family: __,
      ...rest
    } = JSON.parse(readFileSync(preset, 'utf8'));
    const { none, logit } = arms;
    const plan = {
      ...rest,
      ...{ name: 'chain', seeds: [0, 1], shared: { ...shared, epochs: 40 } },
      arms: { none, grandchild: { ...logit, teacher: 'child' }, child: logit },
    };
    writeFileSync(join(folder, 'chain.json'), JSON.stringify(plan));
    const command = ['run', 'chain.json', '--checkpoint-every', '5', '--out'];
    await finished(...command, 'chain-whole');
    for (let kills = 0; kills < 2; kills++) {
      const run = start([...command, 'chain-killed']);
      while (workers('chain-killed').length < 1 && run.child.exitCode === null) await wait(20);
      await wait(1500);
      const started = workers('chain-killed');
      run.child.kill('SIGKILL');
      for (const pid of started) process.kill(pid, 'SIGKILL');
      expect(await run.done, 'it was killed before its end').toBeNull();
    }
    await finished('resume', 'chain-killed');
    for (const how of [['--no-times'], ['--no-times', '--json']])
      expect(await finished('table', 'chain-killed', ...how)).toBe(
        await finished('table', 'chain-whole', ...how),
      );
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s saves all runs, ends their processes, exits 130',
    async (signal) => {
      const run = start(['run', ...PLAN, '--set', 'seeds=[0]', '--out', signal]);
      while (workers(signal).length < 1 && run.child.exitCode === null) await wait(20);
      await wait(1500);
      const started = workers(signal);
      run.child.kill(signal);
      expect(await run.done, run.err()).toBe(130);
      expect(run.err()).toContain(`continue with: grok study resume ${signal}`);
      expect(started.filter(isAlive)).toEqual([]);
      expect(workers(signal)).toEqual([]);
      const resumed = await finished('resume', signal, '--only', 'none,memorised');
      expect(resumed).toMatch(/2 of 2 runs finished/);
    },
  );

  test('two studies in one folder: the second is refused', async () => {
    const first = start(['run', ...PLAN, '--set', 'seeds=[1]', '--out', 'shared']);
    while (workers('shared').length < 1 && first.child.exitCode === null) await wait(20);
    const second = start(['run', ...PLAN, '--set', 'seeds=[1]', '--out', 'shared']);
    expect(await second.done).toBe(1);
    expect(second.err()).toMatch(/in use by process \d+; wait until it ends or stop it/);
    first.child.kill('SIGINT');
    expect(await first.done).toBe(130);
  });

  test('a run whose process dies is retried once', async () => {
    const run = start(['run', ...PLAN, '--set', 'seeds=[2]', '--only', 'none', '--out', 'dying']);
    while (workers('dying').length < 1 && run.child.exitCode === null) await wait(20);
    for (const pid of workers('dying')) process.kill(pid, 'SIGKILL');
    expect(await run.done, run.err()).toBe(0);
    expect(run.out()).toContain('failed (its process was ended by SIGKILL); retrying');
    expect(journal('dying').map(({ type, status }) => status ?? type)).toEqual([
      ...['begin', 'failed', 'begin', 'finished'],
    ]);
  });
});
